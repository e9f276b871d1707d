"""Sallyport itself, in quick mode or with a configuration, as the fixture of a test program.

Everything that is particular to our own daemon's command line and output stands here: how it is
started, how its ready line looks, how a configuration and a users file are written.
E2E_PEER=vsftpd starts another server instead (see peer.py): that answers whether a failing case
is the client's fault or ours.  Expectations never come from there.
"""

import collections
import contextlib
import ctypes
import json
import os
import re
import threading

from . import place, processes
from .launch import Launched
from .tap import Failure, Skip, check, equal, wait_until

Footprint = collections.namedtuple("Footprint", "descriptors memory_bytes")
PASSWORD = "pass word"
SHA512_1000 = b"$6$rounds=1000$sallyport$"  # a setting of crypt(5) that costs 0.25 ms a login
ACCOUNTS = {
    "gateway_user": "nobody", "auth_user": "games", "record_user": "news", "keys_user": "lp"
}  # any four do
AT_REST = 10  # readings that agree
LOUD = ("warning", "error")
hashing = threading.Lock()  # crypt(3) has one result for all threads


class Server:
    """A running daemon with its users; `user` is the first of them."""

    def __init__(self, launched, users, port, passive, ipv6=True):
        self.launched, self.users, self.user = launched, users, users[0]
        self.address = ("127.0.0.1", port)
        self.address6 = ("::1", port) if ipv6 else None
        self.passive = passive
        self.admin_socket = None  # where `sallyport` reaches it
        self.expected = []  # patterns of loud lines that a case provokes on purpose

    @property
    def pid(self):
        return self.launched.pid

    def processes(self, role=None):
        """Its processes' ids, those of one program with role ("gateway")."""
        found = processes.tree(self.pid)
        return [pid for pid in found if not role or processes.role(pid) == f"sallyport-{role}"]

    def footprint(self):
        """What all its processes hold (readable by root only)."""
        pids = self.processes()
        return Footprint(
            sum(processes.descriptors(pid) for pid in pids),
            sum(processes.pss_bytes(pid) for pid in pids),
        )

    def idle_footprint(self):
        """The same once it has come to rest: what sessions left behind is closed without a sign."""
        readings = []

        def is_at_rest():
            readings.append(self.footprint())
            return len({reading.descriptors for reading in readings[-AT_REST:]}) == 1 and (
                len(readings) >= AT_REST
            )

        wait_until(is_at_rest, "the server comes to rest")
        return readings[-1]

    def records(self):
        """Every JSON line so far, in order."""
        return [json.loads(line) for line in self.launched.output("stdout") if line[:1] == "{"]

    def mark(self):
        """A position in the output, for wait_record."""
        return len(self.launched.lines)

    def wait_record(self, start=0, **fields):
        """The first JSON line from there on that has these fields with these values."""

        def accept(line):
            record = json.loads(line) if line[:1] == "{" else {}
            return record if all(record.get(k) == v for k, v in fields.items()) else None

        return self.launched.wait_line(accept, f"a record with {fields}", "stdout", start)

    def expect(self, pattern):
        """Lines that match are no surprise to close()."""
        self.expected.append(pattern)

    def surprises(self):
        loud = [json.dumps(record) for record in self.records() if record.get("severity") in LOUD]
        loud += self.launched.output("stderr")
        return [line for line in loud if not any(re.search(one, line) for one in self.expected)]

    def close(self):
        check(self.launched.process.poll() is None, f"it died: {self.launched.tail()}")
        status = self.launched.stop()
        equal(status, 0, f"exit status ({self.launched.tail()})")
        equal(self.surprises(), [], "warnings and errors nobody expected")


@contextlib.contextmanager
def quick(*options, home=None, passive=None, backend=None):
    """`sallyportd --quick` serving home, or a fresh folder, to the user "demo"."""
    if os.environ.get("E2E_PEER") == "vsftpd":
        from . import peer

        with peer.vsftpd(home) as server:
            yield server
        return
    with place.temporary_folder() as folder:
        user = place.User("demo", PASSWORD, home or folder / "home")
        passive = passive or place.free_range()
        port = free_port()
        arguments = ["--quick", "--user", f"{user.name}:{user.password}"]
        arguments += ["--passive-ports", f"{passive[0]}-{passive[1]}"]
        arguments += ["--backend", backend] if backend else ["--root", user.home]
        for address in listen_addresses(port):
            arguments += ["--listen", address]
        launched = Launched([place.program("sallyportd"), *arguments, *options], cwd=folder)
        with running(Server(launched, [user], port, passive, place.has_ipv6())) as server:
            yield server


Host = collections.namedtuple("Host", "name users options", defaults=((), {}))


@contextlib.contextmanager
def configured(
    users=(("demo", None, ""),), setting=None, passive=None, program=None, hosts=(), **options
):
    """`sallyportd` with a configuration file.

    users: (name, uid or None, words of the users file, perhaps another hash); setting: of crypt(5), for their hashes;
    program: another one than the build's; hosts: virtual ones, each with users of its own if it has
    any, whose password is HOST/PASSWORD; they come last in Server.users.
    """
    with place.temporary_folder() as folder:
        known = write_users(folder / "users", users, folder / "homes", setting)
        passive, port = passive or place.free_range(), free_port()
        settings = {
            "listen": braces(listen_addresses(port)),
            "passive_ports": f"{passive[0]}-{passive[1]}",
            "users_file": folder / "users",
            "roots": braces([folder / "homes"]),
            "log_directory": '""',
            "admin_socket": folder / "admin.sock",
            **ACCOUNTS,
            **options,
        }
        path = folder / "sallyport.conf"
        sections = []
        for host in hosts:
            own = dict(host.options)
            if host.users:
                file = folder / f"users of {host.name}"
                own["users_file"] = f'"{file}"'
                known += write_users(file, host.users, folder / "homes" / host.name, setting,
                                     f"{host.name}/{PASSWORD}")
            sections.append(f'host "{host.name}" {{\n{assignments(own)}}}\n')
        path.write_text(assignments(settings) + "".join(sections))
        program = program or place.program("sallyportd")
        launched = Launched([program, "--config", path], cwd=folder)
        server = Server(launched, known, port, passive, place.has_ipv6())
        server.admin_socket = settings["admin_socket"]
        with running(server):
            yield server


def write_users(path, users, homes, setting=None, password=PASSWORD):
    """A users file; whom it knows. Each has a hash of its own."""
    known = [place.User(name, password, homes / name, uid) for name, uid, *_ in users]
    rows = (
        f"{user.name}:{given or password_hash(password, setting)}:{user.uid}:{user.uid}::{user.home}:{words}\n"
        for user, (_, _, words, *rest) in zip(known, users)
        for given in (rest[0] if rest else None,)
    )
    path.write_text("".join(rows))
    return known


def assignments(options):
    return "".join(f"{name} = {value}\n" for name, value in options.items())


def braces(words):
    return "{" + ", ".join(f'"{word}"' for word in words) + "}"


def need_ipv6(server):
    if not server.address6:
        raise Skip("[::1]")


def free_port():
    return place.free_port(("127.0.0.1", "::1") if place.has_ipv6() else ("127.0.0.1",))


def listen_addresses(port):
    return [f"127.0.0.1:{port}"] + ([f"[::1]:{port}"] if place.has_ipv6() else [])


@contextlib.contextmanager
def running(server):
    """Wait until it is ready; close it with all its checks, or just end it after a failure."""
    try:
        server.launched.wait_line(is_ready, "the ready line", "stdout")
        yield server
    except BaseException:
        with contextlib.suppress(Failure):
            server.launched.stop()
        raise
    server.close()


def is_ready(line):
    return line[:1] != "{" and "ready" in line


def password_hash(password, setting=None):
    """As crypt(5) writes it; without a setting, yescrypt with a fresh salt."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = library.crypt_gensalt.restype = ctypes.c_char_p
    with hashing:
        setting = setting or library.crypt_gensalt(b"$y$", 0, None, 0)
        return library.crypt(password.encode(), setting).decode()
