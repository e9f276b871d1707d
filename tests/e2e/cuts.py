#!/usr/bin/python3 -B
"""Clients that cut, storm and stall: HOSTILE 23 and 30.

A connection is cut at every byte of a dialogue and in every state of a transfer, on the control or
the data connection, by FIN or by RST; the server must keep nothing half, lose no process, and
serve the next client.  A client that does not read costs a bounded piece of memory for a bounded
time.  Under the sanitizers these cases look for memory errors as well.
"""

import contextlib
import random
import select
import socket
import zlib

from harness import ftp, processes, server
from harness.fixtures import noise
from harness.ftp import Control, passive_address, session
from harness.place import has_sanitizer
from harness.tap import LIVENESS_S, Suite, check, equal, need_root, wait_until

suite = Suite()

MIB = 1 << 20
BIG = 64 * MIB  # more than sockets hold
STORM = 200
UNFINISHED = zlib.compress(noise(200_000))[:-9]
READERS = 6  # of each kind


@contextlib.contextmanager
def world_with_files():
    options = {"stall_timeout": "2s", "max_connections_before_login_per_address": 1000}
    with server.configured(setting=server.SHA512_1000, **options) as world:
        with open(world.user.file("big"), "r+b") as file:
            file.truncate(BIG)
        world.user.file("kept", b"the old one")
        world.user.file("lines", b"one line\n" * (BIG // 8 // 9))
        world.user.file("noise", noise(16 * MIB))
        names = random.Random(30)
        for _ in range(6000):  # more than sockets hold, as a listing, also deflated
            world.user.file(f"many/{names.randbytes(120).hex()}")
        world.at_first = world.user.names()
        yield world


def ends_clean(world):
    """Nothing half is left, and the next client is served."""
    wait_until(lambda: world.user.names() == world.at_first, f"left: {world.user.names()}")
    equal(world.user.path("kept").read_bytes(), b"the old one")
    with session(world) as control:
        equal(control.fetch("RETR kept"), b"the old one")


# ---- 23: cut ----

CUTS = {
    "FIN": socket.socket.close,
    "RST": ftp.reset,
}


@suite.table(("FIN", "RST"), lambda how: f"HOSTILE 23: the control connection is cut at every byte: {how}")
def _(world, how):
    said = (
        f"USER {world.user.name}\r\nPASS {world.user.password}\r\nTYPE I\r\nMODE Z\r\nEPSV\r\n"
        "STOR half\r\nABOR\r\nEPSV\r\nRETR big\r\nPWD\r\nREIN\r\nQUIT\r\n"
    ).encode()
    for length in range(len(said) + 1):
        control = socket.create_connection(world.address, LIVENESS_S)
        control.sendall(said[:length])
        CUTS[how](control)
    ends_clean(world)


@suite.case("HOSTILE 23: the data connection of an upload is reset at every byte: 426, and nothing is left")
def _(world):
    with session(world) as control:
        for mode, body in (("S", b"0123456789"), ("Z", zlib.compress(b"0123456789"))):
            control.command(f"MODE {mode}", 200)
            for length in range(len(body)):
                with control.data() as data:
                    control.command("STOR kept", 150)
                    data.socket.sendall(body[:length])
                    data.reset()
                    control.reply(426)
    ends_clean(world)


class LateData(ftp.Data):
    """Connects when it is first used, and not before."""

    def _connect(self):
        return None

    @property
    def socket(self):
        self.connection = self.connection or ftp.Data._connect(self)
        return self.connection


def state_waits(control, data, line):
    """The command is given, its connection is not there."""
    control.line(line)
    control.command("STAT", 211)


def state_begun(control, data, line):
    control.command(line, 150)


def state_moves(control, data, line):
    """Bytes have gone both as far as they get."""
    control.command(line, 150)
    if "STOR" in line or "APPE" in line:
        data.socket.sendall(UNFINISHED)
    else:
        data.socket.recv(1)


def state_held(control, data, line):
    """The same, with commands waiting behind it."""
    state_moves(control, data, line)
    control.send("PWD\r\nSYST\r\n")


def state_quits(control, data, line):
    state_moves(control, data, line)
    control.line("QUIT")


STATES = {
    "no connection yet": state_waits,
    "just begun": state_begun,
    "moving": state_moves,
    "moving, with commands behind it": state_held,
}
# (command, MODE, TYPE)
TRANSFERS = (
    ("RETR big", "S", "I"),
    ("RETR lines", "S", "A"),
    ("RETR lines", "Z", "A"),
    ("STOR kept", "S", "I"),
    ("STOR new", "Z", "A"),
    ("MLSD many", "S", "A"),
)


def log_in(world, mode, form):
    control = Control(world.address)
    control.login(world.user.name, world.user.password)
    control.command(f"TYPE {form}", 200)
    control.command(f"MODE {mode}", 200)
    return control


@suite.table(STATES, lambda name: f"HOSTILE 23: cut in a transfer, {name}: control or data, FIN or RST")
def _(world, name):
    for line, mode, form in TRANSFERS:
        for ends in (("control",), ("data",), ("control", "data")):
            for how in CUTS:
                if "STOR" in line and mode == "S" and ends == ("data",) and how == "FIN":
                    continue  # that is what a whole upload looks like
                with log_in(world, mode, form) as control:
                    kind = LateData if name == "no connection yet" else ftp.Data
                    with kind(control, "EPSV") as data:
                        STATES[name](control, data, line)
                        for end in ends:
                            CUTS[how](control.socket if end == "control" else data.socket)
    ends_clean(world)


@suite.case("HOSTILE 23: storms of ABOR, in one segment, in every kind of transfer")
def _(world):
    with session(world) as control:
        for line, mode, form in TRANSFERS:
            control.command(f"TYPE {form}", 200)
            control.command(f"MODE {mode}", 200)
            for state in (state_begun, state_moves):
                with control.data() as data:
                    state(control, data, line)
                    control.send("ABOR\r\n" * STORM)
                    control.reply(426, 226)
                    for _ in range(STORM):
                        control.reply(226)
        control.command("TYPE I", 200)
        control.command("MODE S", 200)
        control.command("PWD", 257)
    ends_clean(world)


@suite.case("HOSTILE 23: ABOR at any moment of short transfers: each gets its replies, in order")
def _(world):
    moments = random.Random(23)
    with session(world) as control:
        for number in range(150):
            line = moments.choice(("RETR kept", "STOR new", "LIST"))
            with control.data() as data:
                control.send(f"{line}\r\n" + "NOOP\r\n" * moments.randrange(3) + "ABOR\r\n")
                if moments.random() < 0.5:
                    with contextlib.suppress(ConnectionError):
                        data.socket.shutdown(socket.SHUT_WR)
                codes = []
                control.line("SYST")
                while 215 not in codes:
                    codes.append(control.reply().code)
            transfer = [code for code in codes if code in (150, 226, 425, 426)]
            check(transfer in ([150, 226, 226], [150, 426, 226], [425, 226]), f"{line}: {codes}")
            if "STOR" in line and transfer == [150, 226, 226]:
                control.command("DELE new", 250)
    ends_clean(world)


@suite.case("HOSTILE 23: a client that is killed with commands waiting behind its upload: it does not count")
def _(world):
    for _ in range(20):
        with Control(world.address) as control:
            control.login(world.user.name, world.user.password)
            with control.data() as data:
                control.command("STOR new", 150)
                data.socket.sendall(noise(100_000))
                control.send("PWD\r\nSYST\r\nPWD\r\n")
                control.socket.close()
                data.close()
    ends_clean(world)


# ---- 30: a slow reader ----


def slow_reader(world, stack, line, mode, form):
    """A session whose client takes as good as nothing."""
    control = stack.enter_context(log_in(world, mode, form))
    address = passive_address(control, "EPSV")
    data = socket.socket(socket.AF_INET)
    data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    data.settimeout(LIVENESS_S)
    data.connect(address)
    stack.callback(data.close)
    control.command(line, 150)
    return control


def memory_of(world):
    return sum(processes.pss_bytes(pid) for pid in world.processes())


def most_memory_until(world, controls):
    """The most that all processes held, looked at again and again, until one client is told something."""
    most = memory_of(world)
    while not select.select([control.socket for control in controls], [], [], 0.05)[0]:
        most = max(most, memory_of(world))
    return most


@suite.case("HOSTILE 30: who does not read costs a bounded piece of memory, and 426 after stall_timeout")
def _(world):
    need_root("the server's memory is closed to others")
    kinds = [("RETR big", "S", "I"), ("RETR lines", "S", "A"), ("RETR noise", "Z", "A")]
    with session(world):
        before = memory_of(world)
        for kind in kinds:
            with contextlib.ExitStack() as stack:
                controls = [slow_reader(world, stack, *kind) for _ in range(READERS)]
                grown = (most_memory_until(world, controls) - before) // READERS
                for control in controls:
                    control.reply(426)
                    control.command("PWD", 257)
            if not has_sanitizer():
                check(grown < MIB, f"{kind}: {grown} bytes for each that does not read")
    ends_clean(world)


if __name__ == "__main__":
    suite.main(world_with_files)
