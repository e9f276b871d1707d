"""The rows of the table that are rates: what the load generator does, and which ratio is wanted."""

import json
import os
import statistics
import tempfile
import typing

from harness import place, processes
from harness.launch import run

OURS, BASELINE = "Sallyport", "vsftpd"
GIB, KIB_10 = 1 << 30, 10 << 10
TURNS_LIMIT_S = 3  # of one measurement, where fewer turns say the same


class Goal(typing.NamedTuple):
    """Ours at least so many times as fast as that server, or as the best of those measured."""

    factor: float
    server: str = BASELINE

    def __str__(self):
        return f"{self.factor} x {self.server}"

    def is_met(self, row, peers):
        """None: there is nobody to compare with."""
        rates = [row.median(name)[0] for name in peers if self.server in ("best", name)]
        return row.median(OURS)[0] >= self.factor * max(rates) if rates else None


class CheapestGoal(Goal):
    """Faster than each of them, and for less CPU time."""

    def __str__(self):
        return "best rate and CPU"

    def is_met(self, row, peers):
        our_rate, our_cpu = row.median(OURS)
        return all(
            our_rate >= self.factor * rate and our_cpu * self.factor <= cpu
            for rate, cpu in map(row.median, peers)
        ) if peers else None


class Row:
    """One line of the table."""

    is_secured = False  # over TLS
    is_whole = False  # ours does all of it, however long that takes

    def __init__(self, name, scenario, sessions, count, size=0, goal=None, without=()):
        self.name, self.scenario, self.sessions, self.count = name, scenario, sessions, count
        self.size, self.goal, self.without = size, goal, without
        self.argument = f"file-{size}"
        self.results = {}  # server's name: [(rate, CPU seconds a unit)]

    @property
    def moves_gigabytes(self):
        return self.size >= GIB // 8

    @property
    def unit(self):
        return "MB/s" if self.moves_gigabytes else "/s"

    def prepare(self, user):
        """The user has what is to be fetched, and there is memory for what is to be stored."""
        if "stor" in self.scenario:
            touch_and_free(user.home, 2 * self.sessions * self.size)
            return
        path = user.path(self.argument)
        if self.size and not path.exists():
            content = os.urandom(1 << 20) * (self.size >> 20) or os.urandom(self.size)
            user.file(path.name, content)
        if self.size:
            read_once(path)

    def tidy(self, user):
        for path in user.home.glob(f"{self.argument}-*"):
            path.unlink()

    def units(self, told):
        return told["bytes"] / 1e6 if self.moves_gigabytes else told["turns"]

    def check(self, told):
        """Whether ours did what the row says."""

    def measure(self, name, world):
        self.prepare(world.user)
        is_bounded = not self.moves_gigabytes and not (self.is_whole and name == OURS)
        count = f"{self.count}/{TURNS_LIMIT_S}" if is_bounded else self.count
        before = cpu_seconds(world)
        told = load(world, self.scenario, self.sessions, count, self.argument, self.size)
        cpu_s = cpu_seconds(world) - before
        self.tidy(world.user)
        if name == OURS:
            self.check(told)
        units = self.units(told)
        self.results.setdefault(name, []).append((units / told["seconds"], cpu_s / units))

    def median(self, name):
        """(rate, CPU seconds a unit)"""
        return [statistics.median(column) for column in zip(*self.results[name])]


class MixedRow(Row):
    is_whole = True

    def check(self, told):
        assert told["turns"] == self.count, f"{self.name}: {told['turns']} of {self.count} turns"


class ListingRow(Row):
    """Entries a second of one large folder."""

    ENTRIES = 100_000

    def __init__(self, verb, without=()):
        name = f"{verb} {self.ENTRIES:,} entries"
        super().__init__(name, verb.lower(), 1, 5, goal=CheapestGoal(1.0), without=without)
        self.argument = "many"

    def prepare(self, user):
        if user.path(self.argument).exists():
            return
        for number in range(self.ENTRIES):
            user.file(f"{self.argument}/file-{number:06}.dat")

    def units(self, told):
        return told["turns"] * self.ENTRIES


class SecuredRow(Row):
    is_secured = True


class ResumingRow(SecuredRow):
    def check(self, told):
        assert told["full"] == 0, f"{self.name}: {told['full']} handshakes resumed no session"


ROWS = [
    Row("RETR 1 GiB, 1 stream", "retr", 1, 4, GIB, Goal(1.0)),
    Row("RETR 1 GiB, 8 streams", "retr", 8, 8, GIB),
    Row("STOR 1 GiB, 1 stream", "stor", 1, 2, GIB),
    Row("STOR 256 MiB, 8 streams", "stor", 8, 8, GIB // 4),
    *(Row(f"RETR 10 KiB, {n}", "retr", n, 6000, KIB_10) for n in (1, 8, 64)),
    *(Row(f"STOR+DELE 10 KiB, {n}", "stordele", n, 4000, KIB_10) for n in (1, 8, 64)),
    MixedRow("8 mixed commands, 64", "mixed", 64, 100_000 // 8, KIB_10),
    *(Row(f"logins, {n}", "login", n, 1000, goal=Goal(3.0)) for n in (1, 8, 64)),
    ListingRow("LIST"),
    ListingRow("NLST"),
    ListingRow("MLSD", without=(BASELINE,)),
    SecuredRow("TLS RETR 1 GiB, 1 stream", "tlsretr", 1, 2, GIB, Goal(1.2, "best")),
    SecuredRow("TLS STOR 1 GiB, 1 stream", "tlsstor", 1, 1, GIB, Goal(1.2, "best")),
    ResumingRow("TLS RETR 10 KiB, 8", "tlsretr", 8, 4000, KIB_10, Goal(1.3, "best")),
    SecuredRow("TLS logins, 8", "tlslogin", 8, 1000),
]


def cpu_seconds(world):
    """Of all that the server has done so far; without control groups, of what is left of it."""
    used = world.group.used()
    return processes.cpu_seconds(world.processes()) if used is None else used


def load(world, *arguments, user=None):
    """Run the load generator against a server; what it says."""
    user = user or world.user
    who = [world.address[0], world.address[1], user.name, user.password]
    done = run([place.program("load"), *who, *arguments], limit_s=600)
    return json.loads(done.stdout)


def read_once(path):
    """The first trap: a cold page cache measures the disk, or the host below a virtual machine."""
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def touch_and_free(folder, size):
    """The second trap: freed memory goes back to the host, and the first to touch it again pays."""
    piece = bytes(1 << 20)
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(0, size, len(piece)):
            file.write(piece)
