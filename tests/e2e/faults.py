#!/usr/bin/python3 -B
"""What dies, and what the client then sees: each child killed under load, and the daemon itself.

The table in DESIGN §7, line by line: a worker, a gateway, auth, record, the supervisor; crowds that
never log in; configurations that are wrong.
"""

import contextlib
import os
import re
import signal
import socket
import threading

from harness import place, server
from harness.fixtures import noise
from harness.ftp import Control, session
from harness.launch import run
from harness.tap import LIVENESS_S, Failure, Suite, check, equal, wait_until

suite = Suite()

BIG = 64 << 20
CROWD = 1000


def kill(world, role):
    """SIGKILL to every process of a role; their ids."""
    world.expect(rf'"event":"process_ended".*"process":"{role}"')
    world.expect(rf'"event": ?"process_ended".*"process": ?"{role}"')
    pids = world.processes(role)
    check(pids, f"no {role} is running")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


def replaced(world, role, old):
    """Wait until as many new ones run; their ids."""
    return wait_until(
        lambda: [pid for pid in world.processes(role) if pid not in old][: len(old)][len(old) - 1 :]
        and world.processes(role),
        f"a new {role}",
    )


def log_in_again(world):
    """A whole session with a transfer, as soon as one can be had."""

    def attempt():
        with contextlib.suppress(Failure, EOFError, ConnectionError), session(world) as control:
            control.store("STOR alive", b"yes")
            return control.fetch("RETR alive") == b"yes"

    wait_until(attempt, "a login that works again")


class Load:
    """Sessions that store and fetch over and over; what they were promised must be there."""

    def __init__(self, world, count=4):
        self.world, self.ending, self.promised, self.errors = world, False, {}, []
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: len(self.promised) > 20, "load")
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

    def settle(self):
        """After the end: every upload that got its 226 is there and whole, nothing half is."""
        equal(self.errors, [], "transfers that lied")
        for name, body in self.promised.items():
            check(self.world.user.path(name).read_bytes() == body, f"{name} is not what got 226")
        wait_until(
            lambda: not [name for name in self.world.user.names() if name.endswith(b".part")],
            "the hidden temporaries are gone",
        )


@suite.table(("worker", "gateway", "auth", "record"), lambda role: f"{role} is killed under load")
def _(_world, role):
    with server.quick() as world:
        with Load(world) as load:
            old = kill(world, role)
            replaced(world, role, old)
            log_in_again(world)
            before = len(load.promised)
            wait_until(lambda: len(load.promised) > before or load.promised, "load goes on")
        load.settle()


@suite.case("an idle session does not notice that its worker was killed")
def _(_world):
    with server.quick() as world, session(world) as control:
        control.command("MKD kept", 257)
        control.command("CWD kept", 250)
        control.command("TYPE A", 200)
        wait_gone(kill(world, "worker"))
        control.command("PWD", 257)
        control.store("STOR after", b"a\r\n")
        equal(world.user.path("kept/after").read_bytes(), b"a\n", "folder and type were kept")


def wait_gone(pids):
    wait_until(lambda: not [pid for pid in pids if os.path.exists(f"/proc/{pid}")], f"{pids} gone")


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


@suite.case("a user whose worker is killed again and again is held back, and the log says so")
def _(_world):
    with server.quick() as world:
        world.expect("held back|crash|too often")
        with Control(world.address) as control:
            control.login(world.user.name, world.user.password)
            for _ in range(3):
                wait_gone(kill(world, "worker"))
                if control.command("SIZE x", 550, 451, 421).code != 550:
                    break
            with contextlib.suppress(Failure):
                wait_gone(kill(world, "worker"))
            control.command("SIZE x", 421, 451)
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
            replaced(world, "gateway", old)
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
    with place.temporary_folder(), contextlib.ExitStack() as stack:
        manager = server.quick()
        world = manager.__enter__()
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


# Crowds


@suite.case("1,000 connections that never log in do not keep another address out")
def _(_world):
    with server.quick() as world, contextlib.ExitStack() as stack:
        crowd = []
        for _ in range(CROWD):
            end = socket.create_connection(world.address, LIVENESS_S)
            crowd.append(stack.enter_context(end))
        with session(world, source="127.0.0.2") as control:
            control.store("STOR through", b"x")
        told = sum(end.recv(4) == b"421 " for end in crowd)
        check(0 < told < CROWD, f"{told} of {CROWD} were turned away with 421")


@suite.case("1,000 connections from as many addresses do not keep a user out for good")
def _(_world):
    with server.quick() as world:
        with contextlib.ExitStack() as stack:
            for number in range(CROWD):
                source = (f"127.1.{number // 250}.{number % 250 + 1}", 0)
                end = socket.create_connection(world.address, LIVENESS_S, source)
                stack.enter_context(end)
            with session(world) as control:
                control.command("PWD", 257)
        log_in_again(world)


@suite.case("3,000 connections that are reset at once leave it serving, with its descriptors back")
def _(_world):
    with server.quick() as world:
        log_in_again(world)
        before = world.footprint().descriptors if os.geteuid() == 0 else None
        for _ in range(3000):
            end = socket.create_connection(world.address, LIVENESS_S)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            end.close()
        log_in_again(world)
        if before is not None:
            wait_until(lambda: world.footprint().descriptors <= before, f"descriptors, {before}")


# Wrong configurations

WRONG = {
    "an unknown option": ("listenn = 21\n", 1, "listenn"),
    "an unknown option further down": ("# comment\n\nidle_timeout = 10\nbogus = 1\n", 4, "bogus"),
    "a number that is none": ("max_sessions = many\n", 1, "max_sessions"),
    "a number too large": ("login_attempts = 1000\n", 1, "login_attempts"),
    "a negative number": ("max_sessions = -1\n", 1, "max_sessions"),
    "a time without sense": ("\nidle_timeout = 5parsec\n", 2, "idle_timeout"),
    "a port range upside down": ("passive_ports = 3000-2000\n", 1, "passive_ports"),
    "a choice that is none": ("symlinks = maybe\n", 1, "symlinks"),
    "a backend to come": ("backend = threaded\n", 1, "not built yet"),
    "an address that is none": ('listen = {"127.0.0.1"}\n', 1, "listen"),
    "a syntax error": ('greeting = "never closed\n', None, ""),
    "a users file that is missing": (
        "users_file = /nonexistent/users\n",
        None,
        "/nonexistent/users",
    ),
}


@suite.table(list(WRONG), lambda name: f"{name} is refused with file and line")
def _(_world, name):
    text, line, word = WRONG[name]
    with place.temporary_folder() as folder:
        (folder / "wrong.conf").write_text(text)
        said = refused_start("--config", folder / "wrong.conf")
        where = r"wrong\.conf:\d+" if line is None and not word else f"wrong.conf:{line}:"
        check(line is None and word or re.search(where, said), f"no {where} in {said!r}")
        check(word in said, f"no {word!r} in {said!r}")


WRONG_USERS = {
    "too few fields": "demo:!:2000\n",
    "a uid that is none": "demo:!:x:2000::/srv/demo:\n",
    "a relative home": "demo:!:2000:2000::home:\n",
    "an unknown word": "demo:!:2000:2000::/srv/demo:bogus=1\n",
    "a name twice": "demo:!:2000:2000::/srv/a:\ndemo:!:2000:2000::/srv/b:\n",
}


@suite.table(
    list(WRONG_USERS), lambda name: f"users file with {name} is refused with file and line"
)
def _(_world, name):
    text = WRONG_USERS[name]
    with place.temporary_folder() as folder:
        (folder / "wrong.users").write_text(text)
        settings = {
            "listen": server.braces([f"127.0.0.1:{server.free_port()}"]),
            "users_file": folder / "wrong.users",
            **server.ACCOUNTS,
        }
        rows = (f"{option} = {value}\n" for option, value in settings.items())
        (folder / "right.conf").write_text("".join(rows))
        said = refused_start("--config", folder / "right.conf")
        check(f"wrong.users:{text.count(chr(10))}:" in said, f"no file and line in {said!r}")


@suite.table(
    (["--bogus"], ["--quick", "--listen", "nowhere"], ["--quick", "--backend", "threaded"], []),
    lambda arguments: f"sallyportd {' '.join(arguments)} is refused",
)
def _(_world, arguments):
    check(refused_start(*arguments).strip(), "not a word of explanation")


@suite.case("a port that is taken is an error that names it")
def _(_world):
    with place.temporary_folder() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        place.User("demo", "x", folder / "home")
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        root = folder / "home"
        said = refused_start("--quick", "--root", root, "--user", "demo:x", "--listen", address)
        check(address.rpartition(":")[2] in said, f"no port in {said!r}")


def refused_start(*arguments):
    """It ends by itself, not well, within the time that a retry of bind may take; what it said."""
    done = run([place.program("sallyportd"), *arguments], 3 * LIVENESS_S, check_status=False)
    check(done.returncode > 0, f"exit status {done.returncode}")
    return (done.stdout + done.stderr).decode()


if __name__ == "__main__":
    suite.main(contextlib.nullcontext)
