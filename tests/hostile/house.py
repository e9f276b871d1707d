"""A daemon with liars in it: some of its programs are `liar` (liar.c), which runs the real one
behind itself and lies as it is told.  Who is honest must not notice.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import place, processes, server  # noqa: E402
from harness.ftp import Control, session  # noqa: E402
from harness.tap import AT_A_TIME, LIVENESS_S, Suite, check, equal, wait_until  # noqa: E402

__all__ = [
    "AT_A_TIME",
    "IN_EVENTS",
    "LIVENESS_S",
    "MALFORMED",
    "MALFORMED_CARRYING",
    "Suite",
    "bystander",
    "check",
    "equal",
    "house",
    "session",
    "wait_until",
]

PASSIVE_PORTS = 128
HELD_PER_WORKER = 2  # its channel, and record's end of its events
START_S = 30  # no program gets longer than that
PROGRAMS = ("gateway", "worker", "auth", "record", "resolver", "keys")
USERS = (("anna", 23001, ""), ("eve", 23002, ""))  # anna is honest

# What can be malformed (malformed.c), and how a receiver calls it, of a sender whose messages carry
# no descriptors, and of one of whose messages some do.
MALFORMED = {
    "header": "a message without a header",
    "size": "an oversized message",
    "many": "a descriptor where none belongs",
    "empty": "a message without a header",
    "code": "unknown message",
    "sender": "a message that this peer may not send",
    "phase": "a message out of phase",
    "unwanted": "a descriptor where none belongs",
    "count": "not exactly one descriptor",
    "descriptor": "a descriptor of another kind",
    "field": "a field out of range",
}
MALFORMED_CARRYING = {**MALFORMED, "many": "more descriptors than any message has"}
IN_EVENTS = "in its events to record: "  # what record finds, the supervisor says


class House:
    """A running daemon whose programs of one role are liars."""

    def __init__(self, world, folder, role):
        self.world, self.folder, self.role = world, folder, role
        self.anna, self.eve = world.users

    def pid(self, who):
        """Of the how manieth liar that was started (of a user, for workers: "eve-1")."""
        link = self.folder / "starts" / f"{self.role}-{who}"
        wait_until(lambda: os.path.lexists(link), f"a start of {self.role} {who}")
        return int(os.readlink(link))

    def second(self, first):
        """The pid of the next of its kind. The first of all is honest: a program that never was ready
        ends the whole daemon."""
        os.kill(first, signal.SIGKILL)
        self.check_ended(first, "signal 9, Killed")
        return self.pid(2)

    def connect(self, gateway=None):
        """A control connection that was greeted, by the gateway with that pid."""
        while True:
            start = self.world.mark()
            control = Control(self.world.address)
            try:
                control.reply(220)
                own = control.name
                seen = gateway and self.world.wait_record(start, event="connected", peer=own)["pid"]
            except BaseException:
                control.socket.close()
                raise
            if seen == gateway:
                return control
            control.socket.close()

    def log_in(self, user, gateway=None):
        control = self.connect(gateway)
        control.command(f"USER {user.name}", 331)
        control.command(f"PASS {user.password}", 230)
        control.command("TYPE I", 200)
        return control

    def descriptors(self):
        """Of the supervisor, workers' aside; 0 if we may not look (it is not dumpable)."""
        if os.geteuid() != 0:
            return 0
        children = [pid for pid, parent in processes.parents().items() if parent == self.world.pid]
        workers = sum(processes.role(pid) == "sallyport-worker" for pid in children)
        return processes.descriptors(self.world.pid) - HELD_PER_WORKER * workers

    def resident_bytes(self):
        """Of the supervisor; 0 where a sanitizer keeps what was freed."""
        if place.has_sanitizer():
            return 0
        return int(processes.status(self.world.pid)["VmRSS"][0]) * 1024

    def forgive(self, *patterns):
        """Loud lines that match are no surprise."""
        for pattern in patterns:
            self.world.expect(pattern)

    def check_named(self, rule, peer_pid=None, judge="supervisor"):
        """The log names both sides and the rule."""
        self.forgive(f'"event": "malformed".*"peer": "{self.role}".*"rule": "{rule}"')
        found = self.world.wait_record(event="malformed", role=judge, peer=self.role, rule=rule)
        if judge == "supervisor":
            equal(found["pid"], self.world.pid, "who names it")
            equal(found["peer_pid"], peer_pid, "who is named")

    def check_ended(self, pid, how):
        """That process was ended, and why."""
        self.forgive(f'"event": "process_ended".*"child_pid": {pid},')
        self.forgive(f"^sallyportd: sallyport-record: {re.escape(how)}$")  # that event may be late

        def end():
            for record in self.world.records():
                if record["event"] == "process_ended" and record["child_pid"] == pid:
                    return record["how"]

        equal(wait_until(end, f"the end of {pid}", LIVENESS_S + START_S), how, "how it ended")

    def check_replaced(self, pid, how):
        """That process was ended, and another one serves in its place; its pid."""
        self.check_ended(pid, how)
        place_in_log = next(
            at
            for at, record in enumerate(self.world.records())
            if record["event"] == "process_ended" and record["child_pid"] == pid
        )

        def successor():
            for record in self.world.records()[place_in_log:]:
                if record["event"] == "process_started" and record["process"] == self.role:
                    return record["child_pid"]

        return wait_until(successor, f"another {self.role}")


@contextlib.contextmanager
def house(role, *deeds, users=USERS, **options):
    """Deeds are lines "WHO DEED" for liar.c."""
    with place.temporary_folder() as folder:
        shutil.copy(place.program("sallyportd"), folder)
        for other in PROGRAMS:
            name = f"sallyport-{other}"
            if other == role:
                shutil.copy(place.program("liar"), folder / name)
            else:
                (folder / name).symlink_to(place.program(name))
        (folder / "real").symlink_to(place.BUILD)
        (folder / "starts").mkdir()
        (folder / "starts").chmod(0o777)
        (folder / "deeds").write_text("".join(f"{role} {deed}\n" for deed in deeds))
        if os.geteuid() != 0:
            users = [(name, None, words) for name, _, words in users]
        with server.configured(
            users=users,
            setting=server.SHA512_1000,
            passive=place.free_range(PASSIVE_PORTS),
            program=folder / "sallyportd",
            **{"gateways": 1, "worker_linger": '"1h"', **options},
        ) as world:
            yield House(world, folder, role)


@contextlib.contextmanager
def bystander(home, gateway=None):
    """Anna, who works before, while and after somebody else lies; nothing may be left behind."""
    with home.log_in(home.anna, gateway) as control:
        control.store("STOR before", b"before")
        before = home.descriptors()
        yield control
        equal(control.fetch("RETR before"), b"before", "what anna stored")
        control.store("STOR after", b"after")
        wait_until(
            lambda: home.descriptors() <= before,
            f"the supervisor holds no more descriptors than before: {before}, {home.descriptors()}",
        )
        control.command("QUIT", 221)
    check_service(home)


def check_service(home):
    """Whoever comes now is served, the liar's user too."""
    for user in home.world.users:
        with session(home.world, user) as control:
            control.store("STOR new", user.name.encode())
            equal(control.fetch("RETR new"), user.name.encode())
