#!/usr/bin/python3 -B
"""What overtakes a transfer, what waits for its end, and what ends it: STAT, NOOP, QUIT, ABOR.

Sources: RFC 959 §4.1.3, RFC 1123 §4.1.2, DECISIONS 32 and 34.
"""

import contextlib
import socket

from harness import ftp, server
from harness.ftp import DM, IAC, IP, Control, session
from harness.tap import Suite, check, equal, wait_until

suite = Suite()

BIG = 64 << 20  # more than sockets hold: a transfer that nobody reads stays under way


@contextlib.contextmanager
def stuck_retrieve(world):
    """(control, data) with a RETR under way whose bytes nobody reads yet."""
    world.user.file("big", b"")
    with open(world.user.path("big"), "r+b") as file:
        file.truncate(BIG)
    with session(world) as control, control.data() as data:
        control.command("RETR big", 150)
        yield control, data


@suite.case("STAT overtakes a transfer")
def _(world):
    with stuck_retrieve(world) as (control, data):
        control.command("STAT", 211, 213)
        equal(len(data.read()), BIG, "bytes")
        control.reply(226)


@suite.case("NOOP during a transfer is answered after it")
def _(world):
    with stuck_retrieve(world) as (control, data):
        control.line("NOOP")
        equal(len(data.read()), BIG, "bytes")
        control.reply(226)
        control.reply(200)


@suite.case("another command during a transfer waits for its end")
def _(world):
    with stuck_retrieve(world) as (control, data):
        control.send("PWD\r\nSYST\r\n")
        equal(len(data.read()), BIG, "bytes")
        for code in (226, 257, 215):
            control.reply(code)


@suite.case("QUIT lets a running transfer finish")
def _(world):
    world.user.file("long", bytes(BIG))
    with Control(world.address) as control:
        control.login(world.user.name, world.user.password)
        control.command("TYPE I", 200)
        with control.data() as data:
            control.command("RETR long", 150)
            control.line("QUIT")
            equal(len(data.read()), BIG, "bytes")
        control.reply(226)
        control.reply(221)
        control.expect_end()


@suite.case("ABOR with nothing running is 226")
def _(world):
    with session(world) as control:
        control.command("ABOR", 226)
        control.command("ABOR", 226)


@suite.case("ABOR while the data connection is awaited: 425 to the transfer, then 226")
def _(world):
    world.user.file("file", b"content")
    with session(world) as control:
        control.command("EPSV", 229)
        control.line("RETR file")
        control.line("ABOR")
        codes = [control.reply().code, control.reply().code]
        codes += [control.reply().code] if codes[0] == 150 else []
        equal(codes[-2:], [425, 226], "replies")
        equal(control.fetch("RETR file"), b"content")


@suite.case("ABOR during RETR: 426 and 226, and the session goes on")
def _(world):
    with stuck_retrieve(world) as (control, data):
        control.command("ABOR", 426)
        control.reply(226)
        with contextlib.suppress(ConnectionResetError):
            check(len(data.read()) < BIG, "all of it came")
        control.command("PWD", 257)


@suite.case("ABOR as IAC IP, urgent IAC DM: what waited before it is discarded")
def _(world):
    with stuck_retrieve(world) as (control, _):
        control.send("PWD\r\n")
        control.send(IAC + IP)
        control.socket.send(IAC + DM, socket.MSG_OOB)
        control.send("ABOR\r\n")
        control.reply(426)
        control.reply(226)
        control.command("SYST", 215)


@suite.case("ABOR during STOR: 426 and 226, nothing is left")
def _(world):
    before = world.user.names()
    with session(world) as control, control.data() as data:
        control.command("STOR half", 150)
        data.socket.sendall(bytes(1 << 20))
        control.command("ABOR", 426)
        control.reply(226)
        control.command("SIZE half", 550)
    wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")


@suite.case("ABOR after the last byte is 226 once the transfer's own 226 came")
def _(world):
    world.user.file("file", b"content")
    with session(world) as control:
        for _ in range(50):
            with control.data() as data:
                control.line("RETR file")
                data.read()
                control.line("ABOR")
                code = control.reply(150).code and control.reply(226, 426).code
                control.reply(226)
                check(code in (226, 426), f"{code}")


@suite.case("a client that hangs up in the middle of anything disturbs nobody")
def _(world):
    world.user.file("file", bytes(1 << 20))
    dialogue = [b"USER demo\r\n", b"PASS pass word\r\n", b"EPSV\r\n", b"RETR file\r\n", b"ABOR\r\n"]
    for count in range(len(dialogue) + 1):
        for cut in (0, 2):
            with Control(world.address) as control:
                control.send(b"".join(dialogue[:count]) + b"NOOP"[:cut])
                if count % 2:
                    ftp.reset(control.socket)
    with session(world) as control:
        control.command("PWD", 257)


if __name__ == "__main__":
    suite.main(server.quick)
