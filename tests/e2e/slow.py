#!/usr/bin/python3 -B
"""A home that hangs: path_timeout holds for its user, and for nobody else anything changes.

The home is on a FUSE file system (slowfs.c) whose operations wait on command and go on on command.
What is checked is the order of events: others are served while one user's home still hangs.
Latencies are told as comments and judged by nobody.  Needs root, which may mount.
"""

import contextlib
import os
import statistics
import subprocess
import time

from harness import place, processes, server
from harness.fixtures import noise
from harness.ftp import Control, session
from harness.launch import Launched, run
from harness.tap import LIVENESS_S, Skip, Suite, check, equal, need_root, wait_until

suite = Suite()

ANN, BOB, CAT = 23301, 23302, 23303
THREADS = 4  # the default of path_threads
TURNS = 50
BIG = 8 << 20
GIVEN_UP_S = 30  # a second of path_timeout, two for the ping, five for the kill, and liveness


class SlowHome:
    """A user's home as slowfs shows it; what is really there is in the folder beside it.

    The kernel looks a name up for the first time under a lock of its folder, and one that it knows
    without: so a name is looked at before its looks are held, and what changes a folder meanwhile
    goes to one apart.
    """

    def __init__(self, user):
        self.home = user.home
        self.below = user.home.with_name(user.home.name + "-below")
        for folder in (self.below, self.below / "apart"):
            folder.mkdir()
            user.own(folder)
        for name, content in (("slow", b"slow"), ("other", b"other"), ("big", noise(BIG))):
            (self.below / name).write_bytes(content)
            user.own(self.below / name)
        arguments = [place.program("slowfs"), self.home, self.below]
        self.launched = Launched(arguments, stdin=subprocess.PIPE)
        self.launched.wait_line(lambda line: line == "ready", "a mounted file system", "stdout")
        self.mark = 0

    def say(self, command):
        self.mark = len(self.launched.lines)
        self.launched.process.stdin.write(command.encode() + b"\n")
        self.launched.process.stdin.flush()
        self.launched.wait_line(lambda line: line == command, command, "stdout", self.mark)

    def hold(self, operation, path):
        self.say(f"hold {operation} {path}")

    def release(self):
        self.say("release")

    def wait_for(self, operation, path, count=1):
        """Until so many of these operations hang since the last command."""
        wanted = f"waiting {operation} {path}"
        wait_until(
            lambda: self.launched.output("stdout")[self.mark :].count(wanted) >= count,
            f"{count} times: {wanted}",
        )

    def close(self):
        self.launched.process.stdin.close()  # releases, then ends
        run(["umount", "--lazy", self.home], check_status=False)
        self.launched.wait_end()


@contextlib.contextmanager
def hanging_homes():
    need_root("a FUSE file system is mounted")
    if not os.path.exists("/dev/fuse"):
        raise Skip("/dev/fuse")
    if not (place.BUILD / "tests/e2e/slowfs").exists():
        raise Skip("libfuse3")
    users = (("ann", ANN, ""), ("bob", BOB, ""), ("cat", CAT, "backend=sync"))
    with server.configured(users, path_timeout='"1s"', stall_timeout='"1s"', keepalive_interval='"1s"') as world:
        with contextlib.ExitStack() as stack:
            world.slow = {}
            for user in (world.users[0], world.users[2]):
                world.slow[user.name] = SlowHome(user)
                stack.callback(world.slow[user.name].close)
            world.users[1].file("quick", b"quick")
            yield world


def worker_of(world, uid):
    found = [
        pid for pid in world.processes("worker") if processes.status(pid)["Uid"][0] == str(uid)
    ]
    equal(len(found), 1, f"workers of uid {uid}")
    return found[0]


def descriptors_of(world, uid):
    return processes.descriptors(worker_of(world, uid))


def turn(control, number):
    """What anybody's session does."""
    control.store(f"STOR file-{number}", b"meanwhile")
    equal(control.fetch(f"RETR file-{number}"), b"meanwhile")
    control.command(f"SIZE file-{number}", 213)
    check(control.lines("NLST"), "no names")
    control.command(f"DELE file-{number}", 250)


def serve_others(world, when):
    """Another user's session, whole, with what its turns took."""
    took_ms = []
    with session(world, world.users[1]) as control:
        for number in range(TURNS):
            start = time.monotonic()
            turn(control, number)
            took_ms.append((time.monotonic() - start) * 1000)
    print(
        f"# another user's turn of five commands {when}: median "
        f"{statistics.median(took_ms):.1f} ms, at most {max(took_ms):.1f} ms",
        flush=True,
    )


def wait_served(control, limit_s=LIVENESS_S):
    """Until what hung has come back to its senses, or another has taken its place."""
    is_served = lambda: control.command("SIZE other", 213, 450, 451).code == 213  # noqa: E731
    wait_until(is_served, "it is served again", limit_s)


@suite.case("nothing hangs: everybody is served")
def _(world):
    serve_others(world, "while nothing hangs")
    with session(world, world.users[0]) as control:
        turn(control, 0)
        equal(control.fetch("RETR slow"), b"slow")


@suite.case("a look hangs: 451 for its user, who goes on; others are served meanwhile")
def _(world):
    slow = world.slow["ann"]
    with session(world, world.users[0]) as control:
        control.command("SIZE slow", 213)
        before = descriptors_of(world, ANN)
        slow.hold("getattr", "/slow")
        start = time.monotonic()
        control.line("SIZE slow")
        slow.wait_for("getattr", "/slow")
        serve_others(world, "while one home hangs")
        control.reply(451)
        print(f"# 451 was there {time.monotonic() - start:.1f} s after the command", flush=True)
        control.command("SIZE other", 213)
        control.command("MKD apart/made", 257)
        control.command("RMD apart/made", 250)
        slow.release()
        control.command("SIZE slow", 213)
        wait_until(lambda: descriptors_of(world, ANN) == before, "descriptors as before")


@suite.case(
    "every thread hangs: 451 for this user, also for what would not hang; then all come back"
)
def _(world):
    slow, ann = world.slow["ann"], world.users[0]
    with contextlib.ExitStack() as stack:
        controls = [stack.enter_context(session(world, ann)) for _ in range(THREADS + 2)]
        for control in controls:
            control.command("SIZE slow", 213)
        before, worker = descriptors_of(world, ANN), worker_of(world, ANN)
        slow.hold("getattr", "/slow")
        for control in controls:
            control.line("SIZE slow")
        slow.wait_for("getattr", "/slow", THREADS)
        serve_others(world, "while one home hangs in every thread")
        for control in controls:
            control.reply(451)
        controls[0].command("SIZE other", 451)
        controls[0].command("PWD", 257)
        slow.release()
        wait_served(controls[0])
        for control in controls:
            control.command("SIZE slow", 213)
        wait_until(lambda: descriptors_of(world, ANN) == before, "descriptors as before")
        equal(worker_of(world, ANN), worker, "the worker")


@suite.case("a file that is opened too late is closed")
def _(world):
    slow = world.slow["ann"]
    with session(world, world.users[0]) as control:
        control.command("SIZE other", 213)
        before = descriptors_of(world, ANN)
        slow.hold("open", "/slow")
        with control.data():
            control.line("RETR slow")
            slow.wait_for("open", "/slow")
            control.reply(451)
        slow.release()
        equal(control.fetch("RETR slow"), b"slow")
        wait_until(lambda: descriptors_of(world, ANN) == before, "descriptors as before")


@suite.case("a download hangs in its middle: it is given up, and the next one works")
def _(world):
    slow = world.slow["ann"]
    with session(world, world.users[0]) as control:
        control.command("SIZE other", 213)
        before = descriptors_of(world, ANN)
        slow.hold("read", "/big")
        with control.data():
            control.command("RETR big", 150)
            slow.wait_for("read", "/big")
            serve_others(world, "while a download hangs")
            control.reply(451, 426)
        slow.release()
        wait_served(control)
        equal(len(control.fetch("RETR big")), BIG, "bytes")
        wait_until(lambda: descriptors_of(world, ANN) == before, "descriptors as before")


@suite.case("an upload hangs: it is given up, leaves nothing, and the next one works")
def _(world):
    slow, ann = world.slow["ann"], world.users[0]
    with session(world, ann) as control:
        control.command("SIZE other", 213)
        before = descriptors_of(world, ANN)
        names = sorted(os.listdir(slow.below))
        slow.hold("create", "/upload")
        slow.hold("getattr", "/upload")
        with control.data():
            control.line("STOR upload")
            slow.wait_for("getattr", "/upload")
            control.reply(451)
        slow.release()
        wait_until(lambda: descriptors_of(world, ANN) == before, "descriptors as before")
        wait_until(lambda: sorted(os.listdir(slow.below)) == names, "nothing is left")
        control.store("STOR upload", b"whole")
        equal((slow.below / "upload").read_bytes(), b"whole")
        control.command("DELE upload", 250)


@suite.case("an upload takes its name slowly: its client hears so, and then 226")
def _(world):
    slow = world.slow["ann"]
    with session(world, world.users[0]) as control:
        slow.hold("rename", "/patient")
        with control.data() as data:
            control.command("STOR patient", 150)
            data.write(b"patient")
            slow.wait_for("rename", "/patient")
            for _ in range(2):
                line = control.read_line()
                check(line.startswith(b"226-"), f"got {line}")
            slow.release()
            control.reply(226)
        equal((slow.below / "patient").read_bytes(), b"patient")
        control.command("DELE patient", 250)


@suite.case("sync: a worker that hangs altogether is replaced, and its session goes on")
def _(world):
    world.expect('"process": "worker"')
    slow, cat = world.slow["cat"], world.users[2]
    with session(world, cat) as control:
        control.command("SIZE other", 213)
        hanging = worker_of(world, CAT)
        slow.hold("getattr", "/slow")
        control.line("SIZE slow")
        slow.wait_for("getattr", "/slow")
        serve_others(world, "while a worker hangs altogether")
        control.reply(451)
        wait_served(control, GIVEN_UP_S)
        check(hanging != newest_worker_of(world, CAT), "it was not replaced")
        slow.release()
        control.command("SIZE slow", 213)
    wait_until(lambda: hanging not in processes.parents(), "the one that hung is gone")


def newest_worker_of(world, uid):
    return max(
        pid for pid in world.processes("worker") if processes.status(pid)["Uid"][0] == str(uid)
    )


@suite.case("a home that hangs when its user logs in holds up nobody else's login")
def _(world):
    world.expect('"process": "worker"')
    slow, ann = world.slow["ann"], world.users[0]
    for pid in world.processes("worker"):
        if processes.status(pid)["Uid"][0] == str(ANN):
            os.kill(pid, 9)
            wait_until(lambda gone=pid: gone not in processes.parents(), "it is gone")
    slow.hold("getattr", "/")
    with Control(world.address) as control:
        control.reply(220)
        control.command(f"USER {ann.name}", 331)
        control.line(f"PASS {ann.password}")
        slow.wait_for("getattr", "/")
        serve_others(world, "while a login hangs")
        slow.release()
        control.reply(230, 421, 451, 530)
    wait_until(lambda: can_log_in(world, ann), "a login that works")


def can_log_in(world, user):
    with contextlib.suppress(Exception), session(world, user) as control:
        return control.fetch("RETR slow") == b"slow"
    return False


if __name__ == "__main__":
    suite.main(hanging_homes)
