#!/usr/bin/python3 -B
"""A client whose lines mean harm: long paths, format strings, Telnet at the edges of buffers,
floods, lines that are too long, line ends inside.

HOSTILE classes 10 to 15, as far as they are about lines.
"""

import contextlib
import itertools
import select

from siege import Growth, Siege, besieged, check, equal, fresh, session

from harness.ftp import DM, DO, IAC, IP, NOP, WILL

suite = Siege()

LINE_LIMIT = 4608  # bytes of a line before its end
READ_BYTES = LINE_LIMIT + 512  # what the gateway reads at a time at most
SB, SE = b"\xfa", b"\xf0"

# 10

LENGTHS = [254, 255, 256, 257, 764, 765, 766, 1023, 1024, 1025, 4094, 4095, 4096, 4097]
SHAPES = {
    "a name": lambda length: "a" * length,
    "folders": lambda length: ("abc/" * length)[:length],
    "slashes": lambda length: "/" * length,
    "steps up": lambda length: ("../" * length)[:length],
    "quotes": lambda length: '"' * length,
    "absolute": lambda length: ("/" + "b" * 200) * (length // 201) + "/" + "b" * (length % 201 - 1),
}
OF_PATHS = "CWD MKD RMD DELE SIZE MDTM MLST RNFR STAT".split()
OF_TRANSFERS = "RETR STOR APPE LIST NLST MLSD".split()


@suite.table(OF_PATHS + OF_TRANSFERS, lambda verb: f"HOSTILE 10: {verb}, paths of every length")
def _(world, verb):
    with session(world) as control:
        for length, shape in itertools.product(LENGTHS, SHAPES.values()):
            path = shape(length)
            answer = control.command(f"{verb} {path}", 212, 213, 250, 257, 350, 425, 450, 550, 553)
            if answer.code == 257:
                control.command(f"RMD {path}", 250)
            if answer.code == 250:
                control.command("CWD /", 250)
        control.command("SYST", 215)


@suite.case("HOSTILE 10: a name of 255 bytes is made, one of 256 is not")
def _(world):
    with session(world) as control:
        control.command("MKD " + "n" * 255, 257)
        control.command("MKD " + "m" * 256, 553)
        control.command("RNFR " + "n" * 255, 350)
        control.command("RNTO " + "m" * 256, 553)
        control.command("RMD " + "n" * 255, 250)


@suite.case("HOSTILE 10: as deep as a path is long, with quotes that are doubled in 257")
def _(world):
    name = '"' * 250
    with session(world) as control:
        depth = 0
        while control.command(f"MKD {name}", 257, 553).code == 257:
            control.command(f"CWD {name}", 250)
            depth += 1
            shown = ('"' + ("/" + 2 * name) * depth + '" ').encode()
            check(control.command("PWD", 257).text.startswith(shown), f"at depth {depth}")
        equal(depth, 4095 // 251, "depth")
        for _ in range(depth):
            control.command("CDUP", 250)
            control.command(f"RMD {name}", 250)


# 11

FORMATS = [b"%n%n%n%n", b"%s%s%s%s%s%s", b"%1000000d", b"%x.%p.%08x", b"%%n", b"{0}%(a)s$(id)`id`"]
REFUSING = "HOST LANG OPTS SITE HELP TYPE MODE STRU REST ALLO PORT EPRT EPSV STAT XYZZY".split()


@suite.table(FORMATS, lambda text: f"HOSTILE 11: {text} is text, wherever it stands")
def _(world, text):
    start = world.mark()
    with fresh(world) as control:
        equal(control.command(b"USER " + text, 331).text, b"Password required.")
        equal(control.command(b"PASS " + text, 530).text, b"Login incorrect.")
        login = world.wait_record(start, event="login", peer=control.name)
    equal(login["name"], text.decode(), "in the log")
    with session(world) as control:
        for verb in REFUSING:
            answer = control.command(verb.encode() + b" " + text)
            check(answer.code >= 500, f"{verb}: {answer}")
        for line, code in ((b"MKD " + text, 257), (b"CWD " + text, 250), (b"PWD", 257)):
            check(text in control.command(line, code).text, f"{line}")
        control.store(b"STOR " + text, b"x")
        for listing in ("NLST", "LIST", "MLSD"):
            check(any(line.endswith(text) for line in control.lines(listing)), listing)
        control.command(b"RNFR " + text, 350)
        control.command(b"RNTO " + text + b"2", 250)
        control.command(b"DELE " + text + b"2", 250)
        control.command("CDUP", 250)
        control.command(b"RMD " + text, 250)
    made = world.wait_record(start, event="operation", name="mkdir")
    equal(made["path"], f"/{text.decode()}", "in the log")


# 12

SEQUENCES = {
    "a command": IAC + NOP,
    "WILL": IAC + WILL + b"\x01",
    "DO": IAC + DO + b"\x06",
    "interrupt and mark": IAC + IP + IAC + DM,
    "a suboption": IAC + SB + b"\x18" + IAC + IAC + b"x" + IAC + SE,
}


@suite.table(list(SEQUENCES), lambda name: f"HOSTILE 12: {name} at every place by a buffer's end")
def _(world, name):
    sequence = SEQUENCES[name]
    with fresh(world) as control:
        for before in range(READ_BYTES - len(sequence) - 8, READ_BYTES + 3):
            control.send((IAC + NOP) * (before // 2) + b"NO"[: before % 2 + 1] + sequence)
            control.send(b"NO"[before % 2 + 1 :] + b"OP\r\n")
            control.reply(200)
        for count, place in itertools.product((1, 2, 50, 3000), range(len(b"NOOP\r\n") + 1)):
            control.send(b"NOOP\r\n"[:place] + sequence * count + b"NOOP\r\n"[place:])
            control.reply(200)


@suite.case("HOSTILE 12: any number of IACs at any place of a line is one line's worth of replies")
def _(world):
    for count, place in itertools.product((*range(1, 12), 4607, 4608, 5119, 5120), range(7)):
        with fresh(world) as control:
            line = b"NOOP\r\n"
            # An odd one takes the byte behind it for its command.
            control.send(line[:place] + IAC * count + line[place:] + b"\r\nSYST\r\n")
            while control.reply(200, 215, 500, 501).code != 215:
                pass


# 13

LETTERS = 200_000


@suite.case("HOSTILE 13: 200,000 lines of one letter, each answered, while others are served")
def _(world):
    left, answered = b"h\r\n" * LETTERS, 0
    with fresh(world) as control, session(world) as other:
        control.socket.setblocking(False)
        while answered < LETTERS:
            readable, writable, _ = select.select(
                [control.socket], [control.socket] if left else [], [], 10
            )
            check(readable or writable, f"silence after {answered} replies")
            if writable:
                left = left[control.socket.send(left[:65536]) :]
            if readable:
                answered += control.socket.recv(1 << 16).count(b"\n")
                other.command("NOOP", 200)
        equal(answered, LETTERS, "replies")


@suite.case("HOSTILE 13: who sends and reads nothing is read no further")
def _(world):
    growth = Growth(world)
    with fresh(world) as control, session(world) as other:
        control.socket.setblocking(False)
        sent = 0
        while select.select([], [control.socket], [], 0.5)[1]:
            sent += control.socket.send(b"h\r\n" * 20_000)
            check(sent < 1 << 27, "it reads on and on")
        other.command("SYST", 215)
        growth.check(1 << 20)


@suite.case("HOSTILE 13: a hundred lines without an end cost one line each")
def _(world):
    growth = Growth(world)
    with contextlib.ExitStack() as stack:
        controls = [stack.enter_context(fresh(world)) for _ in range(100)]
        for control in controls:
            control.send(b"x" * 100_000)
        growth.check(100 * 16384)
        for control in controls:
            control.send(b"\r\nNOOP\r\n")
            control.reply(500)
            control.reply(200)


# 14


@suite.case("HOSTILE 14: what stands behind 512 to 8,192 bytes of a line is never carried out")
def _(world):
    world.user.file("victim", b"x")
    edges = (512, 1024, 2048, 4096, LINE_LIMIT, READ_BYTES, 8192)
    lengths = {edge + shift for edge in edges for shift in range(-16, 3)} | {*range(512, 8193, 64)}
    with session(world) as control:
        for length in sorted(lengths):
            control.send(b"A" * length + b"DELE victim\r\n")
        for _ in lengths:
            control.reply(500)
        for length in edges:
            control.command(b"STAT " + b"A" * length + b"\0DELE victim", 500, 501)
            control.command(b"NOOP" + b" " * length + b"DELE victim", 500, 501)
        control.command("SIZE victim", 213)
        control.command("DELE victim", 250)


# 15

ENDS_INSIDE = [b"\r", b"\0", b"\r\0", b"\r\r", b"\0\r", b"\r" + IAC + NOP, b"\x0b\r"]


@suite.table(ENDS_INSIDE, lambda inside: f"HOSTILE 15: {inside} inside a line ends no command")
def _(world, inside):
    world.user.file("victim", b"x")
    before = world.user.names()
    with session(world) as control:
        for verb in (b"MKD", b"STOR", b"RNFR", b"USER", b"PASS", b"SITE", b"CWD", b"NOOP"):
            control.command(verb + b" a" + inside + b"DELE victim", 501)
        control.command(b"SY" + inside + b"ST", 501)
        control.command("SYST", 215)
        equal(world.user.names(), before, "names")
        control.command("DELE victim", 250)


if __name__ == "__main__":
    suite.main(besieged)
