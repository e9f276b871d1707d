#!/usr/bin/python3 -B
"""What dies, and what the client then sees: each child killed under load, and the daemon itself.

The table in DESIGN §7, line by line: a worker, a gateway, auth, record, the supervisor.
"""

import contextlib
import os
import signal
import socket
import threading

from harness import processes, server
from harness.fixtures import noise
from harness.ftp import Control, log_in_again, session
from harness.tap import LIVENESS_S, Failure, Suite, check, equal, wait_until

suite = Suite()

BIG = 64 << 20
SLOW_HASH = b"$6$rounds=1500000$sallyport$"  # a second of crypt(3), give or take


def kill(world, role):
    """SIGKILL to every process of a role; their ids."""
    world.expect(rf'"process": "{role}"|sallyport-{role}: signal 9')
    pids = wait_until(lambda: world.processes(role), f"a running {role}")
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # a child of one that is gone already
            os.kill(pid, signal.SIGKILL)
    return pids


def wait_replaced(world, role, old):
    """Wait until there are as many new ones."""
    wait_until(lambda: len(set(world.processes(role)) - set(old)) >= len(old), f"a new {role}")


def wait_gone(pids):
    wait_until(lambda: not set(pids) & set(processes.parents()), f"{pids} are gone")


def wait_ended(world, pids):
    """Wait until the supervisor has seen the end of its children: of the last thread of each."""
    for pid in pids:
        world.wait_record(event="process_ended", child_pid=pid)


class Load:
    """Sessions that store and fetch over and over; what they were promised must be there."""

    def __init__(self, world, count=4):
        self.world, self.ending, self.turns = world, False, 0
        self.promised, self.errors = {}, []
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.turns > 20, "load")
        return self

    def __exit__(self, *_):
        self.ending = True
        for thread in self.threads:
            thread.join()

    def work(self, number):
        turn = 0
        while not self.ending:
            with contextlib.suppress(Failure, EOFError, OSError), session(self.world) as control:
                while not self.ending:
                    turn += 1
                    name, body = f"load-{number}-{turn % 50}", noise(20_000 + turn % 1000)
                    self.promised.pop(name, None)
                    control.store(f"STOR {name}", body)
                    self.promised[name] = body
                    if control.fetch(f"RETR {name}") != body:
                        self.errors.append(f"{name} came back different")
                    self.turns += 1

    def settle(self):
        """After the end: every upload that got its 226 is there and whole, nothing half is."""
        equal(self.errors, [], "transfers that lied")
        for name, body in self.promised.items():
            check(self.world.user.path(name).read_bytes() == body, f"{name} is not what got 226")
        with session(self.world) as control:
            for line in ("NLST -a", "MLSD", "LIST -a"):
                check(b".part" not in control.fetch(line), f"a half upload is seen by {line}")


@suite.table(("worker", "gateway", "auth", "record"), lambda role: f"{role} is killed under load")
def _(_world, role):
    with server.quick() as world:
        with Load(world) as load:
            old = kill(world, role)
            wait_replaced(world, role, old)
            log_in_again(world)
            before = load.turns
            wait_until(lambda: load.turns > before + 20, "load goes on")
        load.settle()


@suite.case("an idle session does not notice that its worker was killed")
def _(_world):
    with server.quick() as world, session(world) as control:
        control.command("MKD kept", 257)
        control.command("CWD kept", 250)
        control.command("TYPE A", 200)
        wait_ended(world, kill(world, "worker"))
        control.command("PWD", 257)
        control.store("STOR after", b"a\r\n")
        equal(world.user.path("kept/after").read_bytes(), b"a\n", "folder and type were kept")


@suite.case("a worker is killed during a download: 451 or 426, and the next command works")
def _(_world):
    with server.quick() as world, session(world) as control:
        world.user.file("big", bytes(BIG))
        with control.data() as data:
            control.command("RETR big", 150)
            data.socket.recv(1000)
            kill(world, "worker")
            control.reply(451, 426)
        check(len(control.fetch("RETR big")) == BIG, "not all of it")


@suite.case("a worker is killed during an upload: 451, no file, and the next upload works")
def _(_world):
    with server.quick() as world, session(world) as control:
        with control.data() as data:
            control.command("STOR half", 150)
            data.socket.sendall(bytes(1 << 20))
            kill(world, "worker")
            control.reply(451)
        control.command("SIZE half", 550)
        equal(control.lines("NLST"), [], "names")
        control.store("STOR half", b"whole")
        equal(control.fetch("RETR half"), b"whole")


@suite.case("a worker falls silent: 451 for its user, a new worker, and nobody else notices")
def _(_world):
    users = (("ann", None, ""), ("bob", None, ""))
    with server.configured(users, path_timeout='"1s"') as world:
        world.expect('"process": "worker".*gave no sign of life')
        ann, bob = world.users
        with session(world, ann) as control:
            control.command("MKD kept", 257)
            control.command("CWD kept", 250)
            (silent,) = world.processes("worker")
            with session(world, bob) as other:
                (others,) = set(world.processes("worker")) - {silent}
                processes.freeze(silent)
                control.line("SIZE nothing")
                for number in range(20):
                    other.store(f"STOR {number}", b"meanwhile")
                control.reply(451)
                wait_ended(world, [silent])
                control.command("NOOP", 200)  # its gateway has heard of that, too
                control.store("STOR after", b"works")
                equal(ann.path("kept/after").read_bytes(), b"works", "the folder was kept")
                check(others in world.processes("worker"), "the other's worker was replaced")
                equal(other.fetch("RETR 19"), b"meanwhile")


@suite.case("a user whose worker is killed again and again is held back, and the log says so")
def _(_world):
    with server.quick() as world:
        world.expect("held back|crash|too often")
        with Control(world.address) as control:
            control.login(world.user.name, world.user.password)
            code = 550
            for _ in range(5):
                wait_ended(world, kill(world, "worker"))
                control.command("NOOP", 200)  # its gateway has heard of that, too
                code = control.command("SIZE x", 550, 451, 421).code
                if code != 550:
                    break
            check(code != 550, "it is replaced for ever")
        mark = world.mark()
        with Control(world.address) as control:
            control.reply(220)
            control.command(f"USER {world.user.name}", 331)
            control.command(f"PASS {world.user.password}", 421, 451, 530)
        world.wait_record(mark, event="refused")


@suite.case("a gateway is killed: no connection is refused, not even for a moment")
def _(_world):
    with server.quick() as world:
        refused, served, ending = [], [], threading.Event()

        def knock():
            while not ending.is_set():
                try:
                    with Control(world.address) as control:
                        control.reply(220)
                        served.append(1)
                except ConnectionRefusedError as error:
                    refused.append(error)
                except (EOFError, OSError, Failure):
                    pass  # accepted by the one that died

        thread = threading.Thread(target=knock)
        thread.start()
        for _ in range(3):
            wait_until(lambda: served, "service")
            old = kill(world, "gateway")
            wait_replaced(world, "gateway", old)
            served.clear()
        wait_until(lambda: served, "service")
        ending.set()
        thread.join()
        equal(refused, [], "refused connections")


@suite.case("auth is killed: sessions go on, logins wait a moment and then work")
def _(_world):
    with server.quick() as world, session(world) as control:
        kill(world, "auth")
        control.store("STOR while", b"auth is away")
        log_in_again(world)


@suite.case("auth is killed while it checks a password: that login waits for the next one")
def _(_world):
    with server.configured(setting=SLOW_HASH) as world, Control(world.address) as control:
        control.reply(220)
        control.command(f"USER {world.user.name}", 331)
        auth = world.processes("auth")
        idle_s = processes.cpu_seconds(auth)
        control.line(f"PASS {world.user.password}")
        wait_until(lambda: processes.cpu_seconds(auth) > idle_s + 0.1, "it checks the password")
        kill(world, "auth")
        control.reply(230)
        control.command("QUIT", 221)


@suite.case("record is killed: no line is lost")
def _(_world):
    with server.quick() as world:
        with session(world) as control:
            for number in range(200):
                control.command(f"MKD folder{number}", 257)
                if number in (50, 100, 150):
                    kill(world, "record")
        wanted = {f"/folder{number}" for number in range(200)}
        made = lambda: {
            row["path"] for row in world.records() if row.get("name") == "mkdir"
        }  # noqa: E731
        wait_until(lambda: made() == wanted, f"missing {sorted(wanted - made())[:5]}")


@suite.case("the supervisor is killed: running sessions finish, nobody new gets in")
def _(_world):
    with contextlib.ExitStack() as stack:
        manager = server.quick()
        world = manager.__enter__()  # and no exit, which would ask it for a clean end
        world.user.file("big", bytes(BIG))
        control = stack.enter_context(Control(world.address))
        control.login(world.user.name, world.user.password)
        control.command("TYPE I", 200)
        data = stack.enter_context(control.data())
        control.command("RETR big", 150)
        family = world.processes()
        os.kill(world.pid, signal.SIGKILL)
        world.launched.process.wait(LIVENESS_S)
        equal(len(data.read()), BIG, "bytes")
        control.reply(226)
        wait_until(lambda: is_closed(world.address), "the listeners are closed")
        control.command("SIZE big", 213)
        control.command("QUIT", 221)
        wait_gone(family[1:])


def is_closed(address):
    try:
        socket.create_connection(address, LIVENESS_S).close()
    except ConnectionRefusedError:
        return True
    return False


if __name__ == "__main__":
    suite.main(contextlib.nullcontext)
