#!/usr/bin/python3 -B
"""A worker that lies: it is ended and replaced, or only the session ends on whose channel it lied;
other users notice nothing (HOSTILE 36, DECISIONS 12, 13, 21, 24).

Eve's first worker is the liar, her next ones and anna's are honest.
"""

import collections
import contextlib

from house import (
    AT_A_TIME,
    IN_EVENTS,
    MALFORMED,
    Suite,
    bystander,
    check,
    equal,
    house,
    session,
    wait_until,
)

suite = Suite()
Lie = collections.namedtuple("Lie", "name deed rule")
SHORT = {"path_timeout": '"1s"', "data_timeout": '"2s"', "login_timeout": '"5s"'}


@contextlib.contextmanager
def lying(*deeds, **options):
    """Yields the house, with anna at work."""
    with house("worker", *(f"eve-1 {deed}" for deed in deeds), **options) as home:
        with bystander(home):
            yield home


def come(home):
    """Eve tries to log in; the reply to her password."""
    with home.connect() as control:
        control.command(f"USER {home.eve.name}", 331)
        return control.command(f"PASS {home.eve.password}", 230, 421).code


def ended(home, how):
    home.check_ended(home.pid("eve-1"), how)


# What it says to the supervisor

EARLY = [
    Lie(kind, f"attach in:configure malformed starting {kind}", rule)
    for kind, rule in MALFORMED.items()
    if kind not in ("count", "descriptor", "phase")
] + [
    Lie("the end of a session", "attach out:ready instead session_ended", MALFORMED["phase"]),
    Lie("a sign of life", "attach out:ready instead pong", MALFORMED["phase"]),
]


@suite.table(EARLY, lambda lie: f"to the supervisor, before it is ready: {lie.name}")
def _(_, lie):
    with lying(lie.deed) as home:
        equal(come(home), 421)
        home.check_named(lie.rule, home.pid("eve-1"))
        ended(home, lie.rule)


LATE = [
    Lie(kind, f"attach in:attach malformed serving {kind}", rule)
    for kind, rule in MALFORMED.items()
    if kind not in ("count", "descriptor")
] + [
    Lie("that it is ready, twice", "attach out:ready twice", MALFORMED["phase"]),
    Lie("that it failed after all", "attach in:attach send 1 failed", MALFORMED["phase"]),
]


@suite.table(LATE, lambda lie: f"to the supervisor: {lie.name}")
def _(_, lie):
    with lying(lie.deed) as home:
        with contextlib.suppress(EOFError):
            come(home)
        home.check_named(lie.rule, home.pid("eve-1"))
        ended(home, lie.rule)


HARMLESS = {
    "signs of life that nobody asked for": "attach in:attach send 1000 pong",
    "the end of sessions that there are not":
        "attach in:attach send 1000 session_ended +session=@+1000",
    "the end of a session that goes on": "attach in:attach send 1 session_ended session=@",
    "progress, a hundred thousand times": "pathio in:receive send 100000 progress bytes=1",
}


@suite.table(list(HARMLESS), lambda name: f"taken without offence: {name}")
def _(_, name):
    with lying(HARMLESS[name]) as home:
        with session(home.world, home.eve) as control:
            control.store("STOR mine", b"mine")
            equal(control.fetch("RETR mine"), b"mine")
        check(home.world.processes(), "it died")


# Ends and silences

DEATHS = {
    "when it gets its settings": "attach in:configure die",
    "before it says that it is ready": "attach out:ready die",
    "when it gets a session": "attach in:attach die",
}


@suite.table(list(DEATHS), lambda name: f"it dies {name}")
def _(_, name):
    with lying(DEATHS[name]) as home:
        with contextlib.suppress(EOFError):
            come(home)
        home.forgive("worker: started by hand")
        ended(home, "exit status 3")


@suite.case("it is never ready")
def _(_):
    with lying("attach out:ready drop") as home:
        with home.connect() as control:
            control.line(f"USER {home.eve.name}\r\nPASS {home.eve.password}")
            ended(home, "was not ready in time")
            control.reply(331)
            control.reply(421)


@suite.case("it is never ready, and its user comes a hundred times: the gateway is not to blame")
def _(_):
    with lying("attach out:ready drop", max_connections_before_login_per_address=1000) as home:
        gateways = home.world.processes("gateway")
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                control = stack.enter_context(home.connect())
                mark = home.world.mark()
                control.line(f"USER {home.eve.name}\r\nPASS {home.eve.password}")
                home.world.wait_record(mark, event="login", verdict="accepted")
            ended(home, "was not ready in time")
        equal(home.world.processes("gateway"), gateways, "the gateways")


SILENT = {
    "it hangs": "hang",
    "it never answers": "drop",
}


@suite.table(list(SILENT), lambda name: f"{name} in the midst of a command")
def _(_, name):
    with lying(f"pathio in:mkdir {SILENT[name]}", **SHORT) as home:
        with session(home.world, home.eve) as control:
            control.command("MKD slow", 451)
            if SILENT[name] == "hang":
                ended(home, "gave no sign of life")
            # One that meets the worker's end has its 451, too.
            wait_until(lambda: control.command("SIZE nothing", 550, 451).code == 550, "service")


@suite.case("it hangs up on a session: no files there any more, elsewhere as before")
def _(_):
    with lying("pathio in:mkdir hang_up") as home, session(home.world, home.anna) as anna:
        home.forgive('"event": "refused"')
        with home.log_in(home.eve) as control:
            control.command("MKD a", 451)
            control.command("MKD b", 451, 421)
        anna.command("MKD c", 257)


# What it says to a session's gateway

TO_GATEWAY = [
    Lie(f"malformed: {kind}", f"pathio in:mkdir malformed serving {kind}", rule)
    for kind, rule in MALFORMED.items()
    if kind not in ("count", "descriptor", "phase")
] + [
    Lie("an answer of another kind", "pathio out:done instead size bytes=1",
        "an answer of the wrong kind"),
    Lie("an answer twice", "pathio out:done twice", "an answer to nothing"),
    Lie("an answer to nothing", "pathio out:done send 1 done", "an answer to nothing"),
    Lie("progress of no transfer", "pathio in:mkdir send 1 progress", "progress of no transfer"),
]


@suite.table(TO_GATEWAY, lambda lie: f"to a gateway: {lie.name}")
def _(_, lie):
    with lying(lie.deed) as home, session(home.world, home.eve) as other:
        with home.log_in(home.eve) as control:
            control.line("MKD a")
            home.check_named(lie.rule, judge="gateway")
            control.expect_end(silent=False)
        other.command("MKD b", 257)


# What it says to record

TO_RECORD = [
    Lie("an event twice", "event out:operation twice",
        IN_EVENTS + "an event out of sequence"),
    Lie("an event of a gateway", "event out:operation instead connected",
        IN_EVENTS + "an event that this role may not send"),
    Lie("a field out of range", "event out:operation malformed serving field",
        IN_EVENTS + "a field out of range"),
]


@suite.table(TO_RECORD, lambda lie: f"to record: {lie.name}")
def _(_, lie):
    with lying(lie.deed) as home:
        home.forgive("sallyport-worker: cannot record")  # the one behind the liar
        with contextlib.suppress(EOFError), home.log_in(home.eve) as control:
            control.command("MKD a")
        home.check_named(lie.rule, home.pid("eve-1"))
        ended(home, lie.rule)


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
