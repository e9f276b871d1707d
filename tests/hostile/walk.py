#!/usr/bin/python3 -B
"""A random walk: every verb in every state, with odd arguments (HOSTILE class 35). No process dies,
every reply is well-formed (harness.ftp reads strictly), and each command gets one final reply.

The walk is seeded: what fails once fails again. WALK_SEED=N walks another way.
"""

import contextlib
import os
import pathlib
import random
import re
import socket

from siege import Siege, besieged, check, equal, verbs

from harness.ftp import Control, passive_address
from harness.tap import LIVENESS_S, Failure

suite = Siege()

SEED = int(os.environ.get("WALK_SEED", "35"))
STEPS = 500
ALIGNED_EVERY = 8  # commands
ARGUMENTS = [
    b"", b" ", b"x", b"/", b"..", b"../../..", b"file", b"folder", b"new", b"folder/new",
    b"file/x", b"a b", b" file", b"file ", b'"file"', b'"', b'"file" "new"', b"file new", b"%n%s",
    b"~", b"-a",
    b"-la folder", b"-R", b"--", b"*", b"f*", b"[", b"{a,b}", b"\xff\xff", b"\xc3\xa4", b"\x80",
    b"\x1b[0m", b"x" * 300, b"x/" * 2000, b"0", b"1", b"5", b"-1", b"9223372036854775807",
    b"9223372036854775808", b"18446744073709551616", b"1e9", b"\xc2\xb2", b"5 2", b"0 0",
    b"A", b"I",
    b"L 8", b"E", b"S", b"Z", b"B", b"F", b"R", b"P", b"C", b"ALL", b"1", b"2", b"3", b"ON", b"OFF",
    b"UTF8 ON", b"UTF8 OFF", b"MLST type;size;", b"MLST", b"HASH SHA-1", b"HASH CRC32", b"MODE Z",
    b"EN", b"FR", b"HELP", b"CHMOD 644 file", b"CHMOD 99 file", b"UTIME 20200101000000 file",
    b"20200101000000 file", b"20201301000000 file", b"modify=20200101000000; file", b"IDLE 100",
    b"SYMLINK file link", b"MKDIR tree/of/folders", b"RMDIR tree", b"CPFR file", b"CPTO new",
    b"WHO",
    b"1,2,3,4,5,6", b"127,0,0,1,0,21", b"|1|192.0.2.1|2000|", b"|2|::1|99999|", b"example.org",
    b"TLS", b"ada", b"wrong",
]  # fmt: skip
PASSIVE = ("PASV", "EPSV")
TRANSFERS = ("RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD")
ENDS = (221, 421)  # codes after which the connection is closed


class Walker:
    """One client; it comes back when it is sent away."""

    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)
        self.control, self.passive, self.data = None, None, None
        self.said, self.count = [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def come(self):
        self.control = Control(self.world.address)
        self.control.reply(220)

    def leave(self):
        self.drop_data()
        self.passive = None
        if self.control:
            self.control.socket.close()
        self.control = None

    def drop_data(self):
        if self.data:
            self.data.close()
        self.data = None

    def say(self, line, *also):
        """A command, others in the same breath; the code of the last final reply, 0 at an end."""
        if not self.control:
            self.come()
        lines = (line, *also)
        self.said = [*self.said, *lines][-12:]
        self.control.send(b"".join(one + b"\r\n" for one in lines))
        return [self.final() for _ in lines][-1]

    def final(self):
        """The next final reply, with what must be done for it to come."""
        if not self.control:
            return 0  # the connection ended with an earlier one
        answer = self.control.reply()
        if answer.code < 200:
            self.move()
            answer = self.control.reply()
            check(answer.code >= 200, f"a second preliminary reply: {answer}")
        if answer.code in ENDS or answer.code == 234:
            if answer.code in ENDS:
                self.control.expect_end()
            self.leave()
        return answer.code

    def move(self):
        """The other side of a transfer, which ends in one way or another."""
        check(self.data, "150 without a data connection")
        way = self.random.choice(("all", "some", "nothing"))
        with contextlib.suppress(OSError):
            if way != "nothing":
                self.data.sendall(b"line\nline\r\n" * 100)
                self.data.shutdown(socket.SHUT_WR)
            while way == "all" and self.data.recv(65536):
                pass
        self.drop_data()

    # States

    def log_in(self):
        user = self.world.user
        self.say(f"USER {user.name}".encode())
        equal(self.say(f"PASS {user.password}".encode()), 230, "login")

    def meet(self, connects=True):
        """PASV or EPSV; the data connection is made, or not."""
        self.drop_data()
        self.passive = None
        with contextlib.suppress(Failure):  # EPSV ALL, or no longer logged in
            address = passive_address(self.control, self.random.choice(PASSIVE))
            self.passive = address
            if connects:
                self.data = socket.create_connection(address, LIVENESS_S)

    # Steps

    def try_verb(self, verb, argument=None):
        if argument is None:
            argument = self.random.choice(ARGUMENTS)
        line = verb.encode() + (b" " + argument if argument or self.random.random() < 0.1 else b"")
        if verb in PASSIVE:
            self.try_passive(line)
        elif verb in TRANSFERS and not self.data:
            # It may wait for a data connection that never comes: ABOR ends that.
            self.say(line, b"ABOR")
            self.passive = None
        elif verb in TRANSFERS:
            self.say(line)
            self.drop_data()
            self.passive = None
        else:
            self.say(line)
        self.count += 1
        if self.count % ALIGNED_EVERY == 0:
            code = self.say(b"SYST")
            check(code in (215, 0, 421), f"SYST is answered {code}: replies are out of step")

    def try_passive(self, line):
        self.drop_data()
        self.say(line)


@contextlib.contextmanager
def walking(world, seed):
    world.user.file("file", b"0123456789")
    world.user.folder("folder")
    walker = Walker(world, seed)
    try:
        with walker:
            yield walker
    except (Failure, EOFError, OSError) as error:
        raise Failure(f"WALK_SEED={SEED}, after {walker.said}: {error!r}") from None


def nothing(_walker):
    pass


def named(walker):
    walker.say(f"USER {walker.world.user.name}".encode())


def logged_in(walker):
    walker.log_in()


def met(walker):
    walker.log_in()
    walker.meet()


def waited_for(walker):
    walker.log_in()
    walker.meet(connects=False)


def restarting(walker):
    walker.log_in()
    walker.say(b"TYPE I")
    walker.meet()
    walker.say(b"REST 5")


def renaming(walker):
    walker.log_in()
    walker.say(b"RNFR file")


def extended_only(walker):
    walker.log_in()
    walker.say(b"EPSV ALL")


STATES = {
    "nobody yet": nothing,
    "after USER": named,
    "logged in": logged_in,
    "with a data connection": met,
    "with a port that nobody comes to": waited_for,
    "after REST": restarting,
    "after RNFR": renaming,
    "after EPSV ALL": extended_only,
}


@suite.table(list(STATES), lambda state: f"HOSTILE 35: every verb {state}")
def _(world, state):
    known = list(verbs())
    check(len(known) > 80, f"the table of commands was misread: {known}")
    with walking(world, f"{SEED} {state}") as walker:
        walker.random.shuffle(known)
        for verb in known:
            walker.leave()
            walker.come()
            STATES[state](walker)
            for _ in range(2):
                walker.try_verb(verb)
        world.user.file("file", b"0123456789")


@suite.table([1, 2], lambda number: f"HOSTILE 35: a walk of {STEPS} steps, number {number}")
def _(world, number):
    known = [verb for verb, kind in verbs().items() if kind != "FOREIGN"]
    with walking(world, f"{SEED} walk {number}") as walker:
        for _ in range(STEPS):
            step = walker.random.random()
            if not walker.control:
                walker.come()
            if step < 0.08:
                with contextlib.suppress(Failure):
                    walker.log_in()
            elif step < 0.25:
                walker.meet(walker.random.random() < 0.8)
            else:
                walker.try_verb(walker.random.choice(known))


@suite.case("README.md names tests of each class, and they have its number")
def _(_world):
    here = pathlib.Path(__file__).resolve().parent
    table = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", (here / "README.md").read_text(), re.M)
    check(len(table) > 30, f"the table was misread: {table}")
    for number, tests in table:
        for name in tests.split(", "):
            found = [path for path in here.parent.glob(f"{name}.*") if path.suffix in (".py", ".c")]
            check(len(found) == 1, f"{number}: {name}: {found}")
            pattern = rf"HOSTILE (class(es)? )?(\d+(,| and| to)\s+)*{number}\b"
            check(re.search(pattern, found[0].read_text()), f"{name} has no HOSTILE {number}")


if __name__ == "__main__":
    suite.main(besieged)
