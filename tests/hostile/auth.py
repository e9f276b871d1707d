#!/usr/bin/python3 -B
"""An auth that lies: it is ended and replaced when it breaks a rule; whom it names without the
configuration's leave gets no worker; running sessions notice nothing (HOSTILE 36, DECISIONS 9, 11, 21).
"""

import collections
import contextlib
import os

from house import (
    AT_A_TIME,
    IN_EVENTS,
    LIVENESS_S,
    MALFORMED,
    Suite,
    bystander,
    check,
    equal,
    house,
    wait_until,
)

suite = Suite()
FIRST, SECOND = 1, 2
Lie = collections.namedtuple("Lie", "name deed rule")


@contextlib.contextmanager
def lying(*deeds, **options):
    """Yields the house and the first auth's pid, with anna at work."""
    with house("auth", *deeds, **options) as home:
        with bystander(home):
            yield home, home.pid(FIRST)


def come(home, *codes, user=None):
    """Eve, or the one named, tries to log in; the reply to the password."""
    user = user or home.eve
    with home.connect() as control:
        control.socket.settimeout(2 * LIVENESS_S)  # the supervisor waits 10 s for a verdict
        control.command(f"USER {user.name}", 331)
        return control.command(f"PASS {user.password}", *codes).code


EVE = "out:identified user.name=eve"


# What it says to the supervisor

SAID = [
    Lie(kind, f"{FIRST} verdict {EVE} malformed serving {kind}", rule)
    for kind, rule in MALFORMED.items()
    if kind not in ("count", "descriptor")
] + [
    Lie("that it is ready, twice", f"{FIRST} verdict {EVE} send 1 ready", MALFORMED["phase"]),
]


@suite.table(SAID, lambda lie: f"to the supervisor: {lie.name}")
def _(_, lie):
    with lying(lie.deed) as (home, liar):
        with contextlib.suppress(EOFError):
            come(home)
        home.check_named(lie.rule, liar)
        home.check_replaced(liar, lie.rule)


EARLY = [kind for kind in MALFORMED if kind not in ("count", "descriptor")]


@suite.table(EARLY, lambda kind: f"to the supervisor, before it is ready: {kind}")
def _(_, kind):
    deed = f"{SECOND} verdict in:configure malformed starting {kind}"
    with lying(deed) as (home, first):
        liar = home.second(first)
        home.check_named(MALFORMED[kind], liar)
        home.check_replaced(liar, MALFORMED[kind])


# Whom it names

NOT_ALLOWED = {
    "root": "user.uid=0",
    "a system account": "user.uid=999",
    "nobody's number": "user.uid=4294967295",
    "root's group": "user.gid=0",
    "a group that is not allowed": "user.groups=27",
    "a folder outside roots": "user.home=/etc",
    "a folder that only looks as if it were in roots": "user.home={homes}/../../etc",
    "the folder above": "user.home={homes}/..",
}


@suite.table(list(NOT_ALLOWED), lambda name: f"eve is said to be {name}: no worker")
def _(_, name):
    homes = "/nonexistent"  # no root of this house: as good as any that is not
    value = NOT_ALLOWED[name].format(homes=homes)
    if os.geteuid() != 0 and "groups" in value:
        value = "user.uid=0"  # without root there is one user only, and its groups stay
    with lying(f"{FIRST} verdict {EVE} set {value}") as (home, liar):
        equal(come(home, 530), 530)
        home.world.wait_record(event="refused", account="eve", why="account-not-allowed")
        check(home.pid(FIRST) == liar and liar in home.world.processes("auth"), "auth was ended")


UNASKED = {
    "a verdict twice": f"{EVE} twice",
    "a verdict for a session that there is not": f"{EVE} send 1000 identified +session=@+1000",
    "a verdict for a gateway that there is not": f"{EVE} send 1000 identified +session=1",
    "signs of life": f"{EVE} send 1000 pong",
    "users that nobody asked for": f"{EVE} send 10 users_loaded error=-",
}


@suite.table(list(UNASKED), lambda name: f"{name}: dropped, and eve is served")
def _(_, name):
    with lying(f"{FIRST} verdict {UNASKED[name]}") as (home, _liar):
        equal(come(home, 230), 230)


@suite.case("200,000 verdicts that nobody asked for: no more memory, and logins wait a moment")
def _(_):
    many = f"{EVE} send 200000 identified +session=@+1000"
    with lying(f"{FIRST} verdict {many}") as (home, _liar):
        home.forgive("gave no sign of life")  # which waits behind all of them
        before = home.resident_bytes()
        come(home)
        come(home)  # whose verdict comes behind all of them
        grown = home.resident_bytes() - before
        # As many sessions as a gateway may have, 65,536, each with what the verdict said of its user.
        check(grown < 128 << 20, f"it grew by {grown} bytes")
        wait_until(  # anna's verdict brings no others
            lambda: come(home, user=home.anna) == 230, "a login", 4 * LIVENESS_S
        )


@suite.case("it accepts without a word to the supervisor: no worker, whatever the gateway heard")
def _(_):
    with lying(f"{FIRST} verdict {EVE} drop") as (home, _liar):
        come(home, 530)
        home.world.wait_record(event="refused", why="no-verdict")


# Ends and silences

DEATHS = {
    "when it gets its settings": (SECOND, "in:configure die"),
    "before it says that it is ready": (SECOND, "out:ready die"),
    "with a verdict on its lips": (FIRST, f"{EVE} die"),
}


@suite.table(list(DEATHS), lambda name: f"it dies {name}")
def _(_, name):
    number, deed = DEATHS[name]
    with lying(f"{number} verdict {deed}") as (home, liar):
        home.forgive("sallyport-auth: ")  # the one behind the liar
        if number == SECOND:
            liar = home.second(liar)
        else:
            come(home, 230, 421, 530)  # the gateway may have heard good news already, or asks the next one
        home.check_replaced(liar, "exit status 3")


@suite.case("it dies when it is asked: the next one is, and the login goes on")
def _(_):
    with lying(f"{FIRST} verify in:password user=eve die") as (home, liar):
        home.forgive("sallyport-auth: ")
        equal(come(home, 230), 230)
        home.check_replaced(liar, "exit status 3")


@suite.case("it answers no ping")
def _(_):
    with lying(f"{FIRST} verdict out:pong silence") as (home, liar):
        home.check_replaced(liar, "gave no sign of life")


@suite.case("it never answers a gateway: the client is let go after login_timeout")
def _(_):
    with lying(f"{FIRST} verify in:password user=eve drop", login_timeout='"2s"') as (home, _liar):
        equal(come(home, 421), 421)


# What it says to a gateway

TO_GATEWAY = [
    Lie(f"malformed: {kind}", f"in:password user=eve malformed serving {kind}", rule)
    for kind, rule in MALFORMED.items()
    if kind not in ("count", "descriptor", "phase")
]


@suite.table(TO_GATEWAY, lambda lie: f"to a gateway: {lie.name}")
def _(_, lie):
    with lying(f"{FIRST} verify {lie.deed}") as (home, _liar):
        gateways = home.world.processes("gateway")
        with contextlib.suppress(EOFError):
            come(home)
        home.check_named(lie.rule, judge="gateway")
        equal(home.world.processes("gateway"), gateways, "the gateways")


ANSWERS = {
    "an answer twice": "out:answer twice",
    "an answer to nothing": "out:answer send 1000 answer verdict=0",
}


@suite.table(list(ANSWERS), lambda name: f"to a gateway: {name}, which is dropped")
def _(_, name):
    with lying(f"{FIRST} verify {ANSWERS[name]}") as (home, _liar):
        equal(come(home, 230), 230)


# What it says to record

TO_RECORD = [
    Lie("an event twice", "event out:login name=eve twice",
        IN_EVENTS + "an event out of sequence"),
    Lie("an event of a worker", "event out:login name=eve instead operation",
        IN_EVENTS + "an event that this role may not send"),
    Lie("a field out of range", "event out:login name=eve malformed serving field",
        IN_EVENTS + "a field out of range"),
]


@suite.table(TO_RECORD, lambda lie: f"to record: {lie.name}")
def _(_, lie):
    with lying(f"{FIRST} {lie.deed}") as (home, liar):
        with contextlib.suppress(EOFError):
            come(home)
        home.check_named(lie.rule, liar)
        home.check_replaced(liar, lie.rule)


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
