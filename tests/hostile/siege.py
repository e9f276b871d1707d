"""A daemon among clients that mean harm: after each case it is as it was, with the same processes
and no descriptor more, and whoever comes then is served.
"""

import contextlib
import functools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import place, processes, server  # noqa: E402
from harness.ftp import Control, session  # noqa: E402
from harness.rows import rows  # noqa: E402
from harness.tap import Suite, check, equal, wait_until  # noqa: E402

ROLES = ("gateway", "auth", "record", "worker")
HOLDING = ("gateway", "auth", "worker")  # record has a channel for every worker that lingers
AT_REST = 4  # readings that agree
MANY = 10_000


class Siege(Suite):
    """A suite whose cases must leave no trace; they get the server."""

    def case(self, name, *arguments):
        return _around(super().case(name, *arguments))

    def table(self, rows, name):
        return _around(super().table(rows, name))


def _around(register):
    def wrap(function):
        @functools.wraps(function)
        def run(world, *rest):
            serve_one(world)
            before, holding = running(world, ROLES), running(world, HOLDING)
            held = descriptors(holding)
            function(world, *rest)
            serve_one(world)
            equal(set(before) - set(running(world, ROLES)), set(), "processes that have died")
            equal(descriptors(holding), held, "descriptors")

        return register(run)

    return wrap


def besieged(**options):
    """A server with one gateway, in which crowds from one address are no matter."""
    settings = {
        "gateways": 1,
        "worker_linger": '"1h"',
        "max_sessions_per_address": MANY,
        "max_connections_before_login_per_address": MANY,
        **options,
    }
    return server.configured(setting=server.SHA512_1000, **settings)


@contextlib.contextmanager
def fresh(world, source=None):
    """A control connection after its greeting."""
    with Control(world.address, source) as control:
        control.reply(220)
        yield control


def serve_one(world):
    with session(world) as control:
        control.store("STOR alive", b"yes")
        equal(control.fetch("RETR alive"), b"yes")
        control.command("DELE alive", 250)


def running(world, roles):
    return [pid for role in roles for pid in world.processes(role)]


def descriptors(pids):
    """Of these processes, once they are at rest; 0 if we may not look."""
    last = []

    def is_at_rest():
        last.append(sum(processes.descriptors(pid) for pid in pids))
        return last[-AT_REST:].count(last[-1]) == AT_REST

    with contextlib.suppress(PermissionError):
        wait_until(is_at_rest, "descriptors at rest")
        return last[-1]
    return 0


class Growth:
    """Of the gateway's memory from here on; 0 where a sanitizer keeps what was freed."""

    def __init__(self, world):
        (self.pid,) = world.processes("gateway")
        self.before = self._resident()

    def _resident(self):
        return 0 if place.has_sanitizer() else int(processes.status(self.pid)["VmRSS"][0]) * 1024

    def check(self, most):
        grown = self._resident() - self.before
        check(grown <= most, f"the gateway grew by {grown} bytes, {most} allowed")


def verbs():
    """{verb: its row's first word} of the command table."""
    return {verb: kind for kind, verb in rows("gateway/commands.def", "COMMAND", "MISSING", "FOREIGN")}
