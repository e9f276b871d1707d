#!/usr/bin/python3 -B
"""A gateway that lies: it is ended and replaced, or only the session ends on whose channel it lied;
the other gateway's sessions go on, and the next client is served (HOSTILE 36, DECISIONS 9, 13, 15-17, 19, 21).

Of two gateways the first is the liar; eve comes through it, anna through the other. A third is
what replaces the first.
"""

import collections
import contextlib
import os
import signal
import socket

from house import (
    AT_A_TIME,
    IN_EVENTS,
    LIVENESS_S,
    MALFORMED_CARRYING,
    Suite,
    bystander,
    check,
    equal,
    house,
    wait_until,
)

suite = Suite()
LIAR, HONEST, SUCCESSOR = 1, 2, 3
PORTS_OF_ONE = 40  # well within a gateway's half of the house's ports
JOIN_WAIT_S = 10  # what a session waits for its verdict, and the other way round (policy/rules/join.h)
Lie = collections.namedtuple("Lie", "name deed rule")


@contextlib.contextmanager
def two_gateways(*deeds, **options):
    """Yields the house and the liar's pid, with anna at work."""
    with house("gateway", *deeds, gateways=2, **options) as home:
        with bystander(home, home.pid(HONEST)):
            yield home, home.pid(LIAR)


def come(home, gateway):
    """Eve tries to log in, which the gateway's end may cut short at any moment."""
    with contextlib.suppress(EOFError, OSError), home.connect(gateway) as control:
        control.line(f"USER {home.eve.name}")
        control.line(f"PASS {home.eve.password}")
        control.expect_end(silent=False)


def is_served(home, gateway):
    """Whether eve can log in; not while the gateway has as many half sessions as it may, and with a
    421 that may be lost, as the client was cut off. Where there was no room for her verdict, but is
    for her session, that waits for the verdict in vain."""
    with contextlib.suppress(EOFError, OSError), home.connect(gateway) as control:
        control.socket.settimeout(JOIN_WAIT_S + LIVENESS_S)
        control.line(f"USER {home.eve.name}")
        control.reply(331)
        control.line(f"PASS {home.eve.password}")
        return control.reply(230, 421).code == 230
    return False


# What it says to the supervisor, or shows it, when eve logs in

SAID = [
    Lie(f"malformed: {kind}", f"out:attach malformed serving {kind}", rule)
    for kind, rule in MALFORMED_CARRYING.items()
] + [
    Lie("two attaches", "out:attach twice", "an attach of a session that is attached"),
    Lie(
        "a client behind a proxy that there is not", "out:attach send 1 attach session=@+1000",
        "a claim about a client who came by no proxy",
    ),
    *(
        Lie(f"an attach with a {what}", f"out:attach give {what}", MALFORMED_CARRYING["descriptor"])
        for what in ("listener", "unix-stream", "udp", "file", "channel")
    ),
    *(
        Lie(f"another gateway's session: {name}", deed, "a session of another incarnation")
        for name, deed in {
            "attach": "out:attach set session=@+0x100000000",
            "reattach": "out:attach send 1 reattach session=@+0x100000000",
            "session_closed": "out:attach send 1 session_closed session=@+0x100000000",
            "complain": "out:attach send 1 complain session=@+0x100000000",
            "connect_active": "out:attach send 1 connect_active session=@+0x100000000 port=2000",
        }.items()
    ),
]


@suite.table(SAID, lambda lie: f"to the supervisor: {lie.name}")
def _(_, lie):
    with two_gateways(f"{LIAR} gate {lie.deed}") as (home, liar):
        come(home, liar)
        home.check_named(lie.rule, liar)
        home.check_replaced(liar, lie.rule)


# No message before that has a descriptor.
@suite.table(sorted(MALFORMED_CARRYING.keys() - {"count", "descriptor"}), lambda kind: f"to the supervisor, before it is ready: {kind}")
def _(_, kind):
    with two_gateways(f"{SUCCESSOR} gate in:configure malformed starting {kind}") as (home, first):
        replace(home, first)
        liar = home.pid(SUCCESSOR)
        home.check_named(MALFORMED_CARRYING[kind], liar)
        home.check_replaced(liar, MALFORMED_CARRYING[kind])


def replace(home, gateway):
    """The first of all is honest: a program that never was ready ends the whole daemon."""
    os.kill(gateway, signal.SIGKILL)
    home.check_ended(gateway, "signal 9, Killed")


# Ends and silences

DEATHS = [
    ("when it gets its settings", SUCCESSOR, "in:configure die"),
    ("before it says that it is ready", SUCCESSOR, "out:ready die"),
    ("with an attach on its lips", LIAR, "out:attach die"),
    ("with the session's channel in its hands", LIAR, "in:attached die"),
]


@suite.table(DEATHS, lambda row: f"it dies {row[0]}")
def _(_, row):
    _, number, deed = row
    with two_gateways(f"{number} gate {deed}") as (home, liar):
        home.forgive("sallyport-gateway: the supervisor ended before")  # the one behind the liar
        if number == SUCCESSOR:
            replace(home, liar)
            liar = home.pid(SUCCESSOR)
        else:
            come(home, liar)
        home.check_replaced(liar, "exit status 3")


SILENCES = [
    ("answers no ping", "out:pong silence", "gave no sign of life"),
    ("does nothing any more", "out:attach hang", "gave no sign of life"),
    ("hangs up but lives", "out:attach hang_up", "did not leave in time"),
]


@suite.table(SILENCES, lambda row: f"it {row[0]}")
def _(_, row):
    _, deed, how = row
    with two_gateways(f"{LIAR} gate {deed}") as (home, liar):
        with contextlib.ExitStack() as stack:
            control = stack.enter_context(home.connect(liar))
            control.line(f"USER {home.eve.name}")
            control.line(f"PASS {home.eve.password}")
            home.check_replaced(liar, how)


# What is well said, and refused: eve's session goes on. It is said when eve uses PORT.

REFUSED = {
    "to reattach a session whose worker lives": "send 1 reattach session=@",
    "to reattach a session that there is not": "send 1 reattach session=@+1000",
    "an attempt that auth knows nothing of": "send 1 attach session=@+1000 attempt=1 claimed=-",
    "a connection for a session that there is not": "send 1 connect_active session=@+1000 port=2000",
    "the end of sessions that there are not": "send 1000 session_closed +session=@+1000",
    "complaints about a worker that lives": "send 1000 complain session=@",
    "complaints about sessions that there are not": "send 1000 complain +session=@+1000",
}


@suite.table(list(REFUSED), lambda name: f"refused: {name}")
def _(_, name):
    with two_gateways(f"{LIAR} gate out:connect_active {REFUSED[name]}") as (home, liar):
        home.forgive('"event": "refused"')
        with home.log_in(home.eve, liar) as control:
            control.store("STOR mine", b"mine", mode="PORT")
            equal(control.fetch("RETR mine"), b"mine")
            control.command("QUIT", 221)


@suite.case("refused: more passive ports than are its share; the other gateway has some left")
def _(_):
    with two_gateways(f"{LIAR} gate out:connect_active send 300 want_passive") as (home, liar):
        with home.log_in(home.eve, liar) as eve, contextlib.ExitStack() as stack:
            eve.store("STOR mine", b"mine", mode="PORT")
            for _ in range(PORTS_OF_ONE):
                anna = stack.enter_context(home.log_in(home.anna, home.pid(HONEST)))
                anna.command("EPSV", 229)
            eve.command("QUIT", 221)


@suite.case("refused: more than 64 active connections in a second")
def _(_):
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as target:
        deed = f"send 1000 connect_active session=@ port={target.getsockname()[1]}"
        with two_gateways(f"{LIAR} gate out:connect_active {deed}") as (home, liar):
            with home.log_in(home.eve, liar) as eve:
                eve.store("STOR mine", b"mine", mode="PORT")
                eve.command("QUIT", 221)
            target.settimeout(0)
            made = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    target.accept()[0].close()
                    made += 1
            check(0 < made <= 3 * 64, f"{made} connections were made")


@suite.case("70,000 attaches that come to nothing do not make the supervisor large")
def _(_):
    many = "send 70000 attach +session=@+1000000 attempt=1 claimed=- with=unconnected-tcp"
    with two_gateways(f"{LIAR} gate out:connect_active {many}") as (home, liar):
        home.forgive("more logins without a verdict were refused to the gateway of sessions")
        before = home.resident_bytes()
        with home.log_in(home.eve, liar) as eve:
            eve.store("STOR mine", b"mine", mode="PORT")
            eve.command("QUIT", 221)
        is_served(home, liar)  # the answer comes behind all of them
        grown = home.resident_bytes() - before
        # As many sessions as a gateway may have, 65,536, of some 320 bytes each.
        check(grown < 32 << 20, f"it grew by {grown} bytes")
        wait_until(lambda: is_served(home, liar), "they are forgotten", 2 * JOIN_WAIT_S + LIVENESS_S)


# What it says to record, auth and a worker


TO_RECORD = [
    Lie("another gateway's session", "out:disconnected reason=quit set session=@+0x100000000",
        IN_EVENTS + "a session of another gateway"),
    Lie("an event twice", "out:disconnected reason=quit twice",
        IN_EVENTS + "an event out of sequence"),
    Lie("an event of a worker", "out:disconnected reason=quit instead operation",
        IN_EVENTS + "an event that this role may not send"),
    Lie("half a header", "out:disconnected reason=quit malformed serving header",
        IN_EVENTS + "an event without a header"),
    Lie("a field out of range", "out:disconnected reason=quit malformed serving field",
        IN_EVENTS + "a field out of range"),
]


@suite.table(TO_RECORD, lambda lie: f"to record: {lie.name}")
def _(_, lie):
    with two_gateways(f"{LIAR} event {lie.deed}") as (home, liar):
        home.connect(liar).command("QUIT", 221)
        home.check_named(lie.rule, liar)
        home.check_replaced(liar, lie.rule)


TO_AUTH = [
    Lie("another gateway's session", "out:password set session=@+0x100000000",
        "a session of another gateway"),
    Lie("the end of another's attempt", "out:password send 1 withdraw session=@+0x100000000",
        "a session of another gateway"),
    Lie("a field out of range", "out:password malformed serving field", MALFORMED_CARRYING["field"]),
    Lie("auth's own words", "out:password malformed serving sender", MALFORMED_CARRYING["sender"]),
]


@suite.table(TO_AUTH, lambda lie: f"to auth: {lie.name}")
def _(_, lie):
    with two_gateways(f"{LIAR} verify {lie.deed}") as (home, liar):
        come(home, liar)
        home.check_named(lie.rule, judge="auth")
        home.check_replaced(liar, lie.rule)


TO_WORKER = [
    Lie(f"malformed: {kind}", f"out:mkdir malformed serving {kind}", MALFORMED_CARRYING[kind])
    for kind in MALFORMED_CARRYING
    if kind != "phase"
]


@suite.table(TO_WORKER, lambda lie: f"to a worker: {lie.name}")
def _(_, lie):
    with two_gateways(f"{LIAR} pathio {lie.deed}") as (home, liar):
        with home.log_in(home.eve) as other, home.log_in(home.eve, liar) as eve:
            eve.line("MKD a")
            home.check_named(lie.rule, judge="worker")
            other.command("MKD b", 257)
            other.command("QUIT", 221)
            check(home.pid(LIAR) == liar, "the gateway was ended")


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
