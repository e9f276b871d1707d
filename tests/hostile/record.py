#!/usr/bin/python3 -B
"""A record that lies, dies or falls silent: it is ended and replaced, nobody else notices, and no
line is lost (HOSTILE 36, DECISIONS 21, 22).
"""

import collections
import contextlib

from house import AT_A_TIME, MALFORMED, Suite, bystander, check, equal, house, session

suite = Suite()
FIRST, SECOND = 1, 2
Lie = collections.namedtuple("Lie", "name deed rule")


@contextlib.contextmanager
def lying(*deeds, **options):
    """Yields the house and the first record's pid, with anna at work."""
    with house("record", *deeds, **options) as home:
        with bystander(home) as anna:
            yield home, home.pid(FIRST), anna


TRIGGER = "ledger in:writer user=eve"  # the events of eve's worker


SAID = [
    Lie(kind, f"{TRIGGER} malformed serving {kind}", rule)
    for kind, rule in MALFORMED.items()
    if kind not in ("count", "descriptor")
] + [
    Lie("the end of a writer that there is not",
        f"{TRIGGER} send 1 writer_ended number=4000000 malformed=-",
        "the end of a writer that has not ended"),
    Lie("the end of the supervisor's own",
        f"{TRIGGER} send 1 writer_ended number=1 malformed=-",
        "the end of a writer that has not ended"),
    Lie("that it is ready, twice", f"{TRIGGER} send 1 ready", MALFORMED["phase"]),
]


@suite.table(SAID, lambda lie: f"to the supervisor: {lie.name}")
def _(_, lie):
    with lying(f"{FIRST} {lie.deed}") as (home, liar, anna):
        with session(home.world, home.eve) as eve:
            eve.command("MKD a", 257)
        home.check_named(lie.rule, liar)
        home.check_replaced(liar, lie.rule)
        check_complete(home)


def check_complete(home):
    """Each writer's lines are all there, in order; some perhaps twice."""
    home.world.wait_record(event="operation", name="mkdir", path="/a", error=0)
    seen = {}
    for line in home.world.records():
        last = seen.get(line["writer"], 0)
        check(line["sequence"] <= last + 1, f"a line is missing before {line}")
        seen[line["writer"]] = max(last, line["sequence"])


EARLY = [kind for kind in MALFORMED if kind not in ("count", "descriptor")]


@suite.table(EARLY, lambda kind: f"to the supervisor, before it is ready: {kind}")
def _(_, kind):
    deed = f"{SECOND} ledger in:configure malformed starting {kind}"
    with lying(deed) as (home, first, anna):
        anna.command("MKD a", 257)
        liar = home.second(first)
        home.check_named(MALFORMED[kind], liar)
        home.check_replaced(liar, MALFORMED[kind])
        check_complete(home)


DEATHS = {
    "when it gets its settings": (SECOND, "ledger in:configure die"),
    "before it says that it is ready": (SECOND, "ledger out:ready die"),
    "when it gets a writer": (FIRST, f"{TRIGGER} die"),
}


@suite.table(list(DEATHS), lambda name: f"it dies {name}")
def _(_, name):
    number, deed = DEATHS[name]
    with lying(f"{number} {deed}") as (home, liar, anna):
        home.forgive("sallyport-record: ")  # the one behind the liar
        anna.command("MKD a", 257)
        if number == SECOND:
            liar = home.second(liar)
        else:
            with session(home.world, home.eve) as eve:
                eve.command("SIZE nothing", 550)
        home.check_replaced(liar, "exit status 3")
        check_complete(home)


WRITERS = {
    "a gateway": "in:connected",
    "auth": "in:login",
    "a worker": "in:operation",
}


@suite.table(list(WRITERS), lambda name: f"it talks to {name}, which does not listen")
def _(_, name):
    with lying(f"{FIRST} event {WRITERS[name]} malformed serving sender") as (home, liar, anna):
        before = sorted(home.world.processes())
        anna.command("MKD a", 257)
        check(set(before) <= set(home.world.processes()), "somebody was ended")
        equal(home.pid(FIRST), liar)
        check_complete(home)


@suite.case("it talks to the supervisor, which takes another channel and another record")
def _(_):
    with lying(f"{FIRST} event in:attached malformed serving sender") as (home, liar, anna):
        anna.command("MKD a", 257)
        home.check_replaced(liar, "the end of a writer that has not ended")
        home.forgive('"event": "malformed".*"peer": "record"')


@suite.case("it says that an honest worker broke a rule: that worker is replaced")
def _(_):
    lie = f"{TRIGGER} send 1 writer_ended number=@ malformed=a-lie"
    with lying(f"{FIRST} {lie}") as (home, _liar, _anna):
        home.forgive("process_ended", "malformed", "the end of a writer")
        with contextlib.suppress(EOFError), home.connect() as eve:
            eve.command(f"USER {home.eve.name}", 331)
            eve.command(f"PASS {home.eve.password}", 230, 421)


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
