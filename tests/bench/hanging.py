"""What others notice while one user's file system hangs, and what that user's other sessions do:
slowfs, as in tests/e2e/slow.py, whose operations wait on command."""

import contextlib
import os

from harness.ftp import session
from rows import KIB_10, load
from slow import THREADS, hanging_homes

TURNS = 2000
GOAL, FORGIVEN_MS = 3, 1.0  # of the 99th percentile: so many times, and so much that is noise


@contextlib.contextmanager
def held_looks(world, user, count):
    """So many looks of this user's hang meanwhile."""
    home = world.slow[user.name]
    with contextlib.ExitStack() as stack:
        controls = [stack.enter_context(session(world, user)) for _ in range(count)]
        for control in controls:
            control.command("SIZE slow", 213)
        home.hold("getattr", "/slow")
        for control in controls:
            control.line("SIZE slow")
        home.wait_for("getattr", "/slow", count)
        yield
        for control in controls:
            control.reply(451)
        home.release()


def described(told):
    return f"{told['p50_ms']:.2f} / {told['p99_ms']:.2f} / {told['max_ms']:.2f}"


def measure_hanging(_limits, _rounds):
    with hanging_homes() as world:
        ann, bob = world.users[:2]
        bob.file("small", os.urandom(KIB_10))

        def others():
            return load(world, "mixed", 1, TURNS // 8, "small", KIB_10, user=bob)

        def same():
            return load(world, "look", 1, TURNS, "other", user=ann)

        quiet, quiet_same = others(), same()
        with held_looks(world, ann, 1):
            one, one_same = others(), same()
        with held_looks(world, ann, THREADS):
            all_ = others()
    others_are_served = all(told["p99_ms"] <= GOAL * quiet["p99_ms"] + FORGIVEN_MS for told in (one, all_))
    return (
        "a file system hangs, ms (median / 99 % / largest):\n"
        f"  8 commands of another user: {described(quiet)}; while one look hangs {described(one)}, "
        f"while every thread of that worker does {described(all_)}; goal 99 % at most {GOAL} x and "
        f"{FORGIVEN_MS} ms: {'met' if others_are_served else 'MISSED'}\n"
        f"  SIZE of the same user: {described(quiet_same)}; while one look hangs "
        f"{described(one_same)}"
    )


MEASURES = {"a file system hangs": measure_hanging}
