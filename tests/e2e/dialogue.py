#!/usr/bin/python3 -B
"""The dialogue's rules: lines, Telnet, order, what may be said before login, what overtakes.

Sources: RFC 959 §4 and §5.3, RFC 1123 §4.1.2, RFC 854, RFC 2577; each case names the rule.
"""

import contextlib
import random
import threading

from harness import server
from harness.ftp import DM, DO, IAC, IP, NOP, WILL, Control, session
from harness.tap import Suite, check, equal

suite = Suite()

LINE_LIMIT = 4608  # bytes before the line end

ALLOWED_BEFORE_LOGIN = """
    USER PASS ACCT QUIT AUTH PBSZ PROT FEAT HELP NOOP SYST OPTS HOST LANG CLNT REIN
""".split()
NEED_LOGIN = """
    CWD CDUP PWD MKD RMD LIST NLST MLSD MLST STAT XCWD XCUP XPWD XMKD XRMD TYPE STRU MODE PASV EPSV
    PORT EPRT REST RETR STOR STOU APPE ALLO ABOR SIZE MDTM DELE RNFR RNTO
""".split()
LATER_OR_NEVER = (
    "RANG MFMT MFF AVBL COMB HASH XCRC XMD5 XSHA1 XSHA256 XSHA512 SITE CSID MFCT".split()
)


@contextlib.contextmanager
def fresh(world, **options):
    """A control connection after its greeting."""
    with Control(world.address, **options) as control:
        control.reply(220)
        yield control


# Lines


@suite.case("the greeting is 220, and QUIT is answered 221 before the end")
def _(world):
    with fresh(world) as control:
        control.command("QUIT", 221)
        control.expect_end()


@suite.case("a line may end in a bare LF")
def _(world):
    with fresh(world) as control:
        control.send("NOOP\nSYST\n")
        control.reply(200)
        control.reply(215)


@suite.case("a command in pieces of one byte is one command")
def _(world):
    with fresh(world) as control:
        for byte in b"NOOP\r\n":
            control.send(bytes([byte]))
        control.reply(200)


@suite.case("a verb is understood in any case")
def _(world):
    with fresh(world) as control:
        control.command("nOoP", 200)
        control.command("syst", 215)


@suite.case("an empty line is 500 and nothing worse")
def _(world):
    with fresh(world) as control:
        control.command("", 500)
        control.command("NOOP", 200)


@suite.case("a 4,095-byte path fits with its verb")
def _(world):
    with session(world) as control:
        control.command("CWD " + "/." * 2047 + "/", 250)


@suite.case("a line of 4,608 bytes is a command")
def _(world):
    with session(world) as control:
        answer = control.command("CWD " + "a" * (LINE_LIMIT - 4))
        check(answer.code != 500, f"refused as too long: {answer}")


@suite.table(
    [1, 2, 100, 4096, 100_000, 3_000_000], lambda over: f"a line {over} bytes too long is one 500"
)
def _(world, over):
    with fresh(world) as control:
        control.send(b"NOOP" + b"x" * (LINE_LIMIT - 4 + over) + b"\r\nSYST\r\n")
        control.reply(500)
        control.reply(215)


@suite.case("an overlong line is never cut into two commands")
def _(world):
    world.user.file("victim", b"x")
    with session(world) as control:
        for length in (510, 512, 1024, 4096, *range(4600, 4616), 8190, 8192, 16384, 65536):
            control.send(b"A" * length + b"DELE victim\r\n")
            control.reply(500)
        control.send(b"A" * 10_000 + b"\rDELE victim\r\n")
        control.reply(500)
        control.command("SIZE victim", 213)


@suite.table([b"MKD a\0b", b"MKD a\rb", b"MKD \0", b"DELE a\r\rb"], lambda line: f"{line} is 501")
def _(world, line):
    with session(world) as control:
        control.command(line, 501)
        control.command("NOOP", 200)
    check(b"a" not in world.user.names(), "the first half was carried out")


@suite.case("trailing and leading blanks belong to a name")
def _(world):
    with session(world) as control:
        for name in ("end  ", " start", "  both "):
            control.command(f"MKD {name}", 257)
            check(name.encode() in world.user.names(), f"{name!r} in {world.user.names()}")
            control.command(f"RMD {name}", 250)


@suite.table(
    [b"\x80\x81", b"NOO\xf0", b"\xc3\x84NDE"], lambda verb: f"verb {verb}: bytes over 127 are 500"
)
def _(world, verb):
    with fresh(world) as control:
        control.command(verb, 500)
        control.command("NOOP", 200)


# Telnet


@suite.case("IAC sequences vanish at every position")
def _(world):
    with fresh(world) as control:
        for sequence in (IAC + NOP, IAC + WILL + b"\x01", IAC + DO + b"\x06", IAC + IP, IAC + DM):
            for position in range(len(b"NOOP") + 1):
                control.send(b"NOOP"[:position] + sequence + b"NOOP"[position:] + b"\r\n")
                control.reply(200)


@suite.case("an IAC sequence in pieces of one byte vanishes too")
def _(world):
    with fresh(world) as control:
        for byte in b"NO" + IAC + DO + b"\x06" + b"OP\r\n":
            control.send(bytes([byte]))
        control.reply(200)


@suite.case("IAC IAC is the byte 255 in a name")
def _(world):
    with session(world) as control:
        control.command(b"MKD iac" + IAC + IAC + b"x", 257)
        check(b"iac\xffx" in world.user.names(), f"{world.user.names()}")


@suite.case("thousands of IACs across buffer ends do no harm")
def _(world):
    with fresh(world) as control:
        for count in (4607, 4608, 4609, 20_000):
            control.send((IAC + NOP) * count + b"NOOP\r\n")
            control.reply(200)
            control.send(b"NOOP " + IAC * count + b"\r\n")
            control.reply(200, 500, 501)
            control.command("SYST", 215)


# Order of commands


@suite.table(
    ["XYZZY", "XYZZY 100%n%s", "A" * 200],
    lambda line: f"unknown verb {line[:16]}: a short 500 without echo",
)
def _(world, line):
    with session(world) as control:
        answer = control.command(line, 500)
        check(
            b"XYZZY" not in answer.lines[0] and b"AAAA" not in answer.lines[0], f"echo in {answer}"
        )
        check(len(answer.lines[0]) < 80, f"long: {answer}")


@suite.table(["AUTH TLS", "PBSZ 0", "PROT P"], lambda line: f"{line}: known but not offered is 502")
def _(world, line):
    with session(world) as control:
        control.command(line, 502)


BEFORE_LOGIN = {
    "before USER": [],
    "after USER": [("USER someone", 331)],
    "after a wrong PASS": [("USER someone", 331), ("PASS wrong", 530)],
}


def stranger():
    """An address that has not failed to log in yet: failures are counted by address."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"


@suite.table(NEED_LOGIN + LATER_OR_NEVER, lambda verb: f"{verb} is refused before login")
def _(world, verb):
    for when, dialogue in BEFORE_LOGIN.items():
        with fresh(world, source=stranger()) as control:
            for line, code in dialogue:
                control.command(line, code)
            for line in (verb, f"{verb} x"):
                answer = control.command(line)
                wanted = (530,) if verb in NEED_LOGIN else (530, 502, 500)
                check(answer.code in wanted, f"{line} {when}: {answer}, want {wanted}")


@suite.table(ALLOWED_BEFORE_LOGIN, lambda verb: f"{verb} is not 530 before login")
def _(world, verb):
    with fresh(world) as control:
        answer = control.command(verb)
        wanted = {"PASS": (503, 501)}.get(verb)
        check(answer.code in wanted if wanted else answer.code != 530, f"{answer}")


@suite.case("500 commands in one segment get 500 replies in order")
def _(world):
    with session(world) as control:
        control.send(b"NOOP\r\nSYST\r\nPWD\r\nBOGUS\r\nTYPE I\r\n" * 100)
        for _ in range(100):
            for code in (200, 215, 257, 500, 200):
                control.reply(code)


@suite.case("a login and more in one segment are answered in order")
def _(world):
    with Control(world.address) as control:
        user = world.user
        control.send(f"USER {user.name}\r\nPASS {user.password}\r\nPWD\r\nTYPE I\r\nQUIT\r\n")
        for code in (220, 331, 230, 257, 200, 221):
            control.reply(code)
        control.expect_end()


@suite.case("200,000 pipelined commands wait in the socket and are all answered")
def _(world):
    count = 200_000
    with session(world) as control:
        sender = threading.Thread(target=control.send, args=(b"NOOP\r\n" * count,))
        sender.start()
        for _ in range(count):
            control.reply(200)
        sender.join()


# Foreign protocols

FOREIGN = [
    b"GET / HTTP/1.1\r\nHost: victim\r\n\r\n",
    b"POST /form HTTP/1.1\r\nHost: victim\r\nContent-Length: 30\r\n\r\nUSER demo\r\nDELE x\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
    b"Host: victim\r\n",
    b"EHLO example.org\r\n",
]


@suite.table(FOREIGN, lambda hello: f"{hello[:12]} gets one 421 and the end")
def _(world, hello):
    with fresh(world) as control:
        control.send(hello)
        answer = control.reply(421)
        check(b"victim" not in answer.lines[0] and b"example" not in answer.lines[0], f"{answer}")
        control.expect_end()


@suite.case("a TLS hello on the plain port gets nothing at all, and the end")
def _(world):
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(192)
    with fresh(world) as control:
        control.send(hello)
        control.expect_end()


# Replies


@suite.case("FEAT, HELP and STAT are multi-line replies of the RFC's form")
def _(world):
    with session(world) as control:
        for line, code in (("FEAT", 211), ("HELP", 214), ("STAT", 211)):
            answer = control.command(line, code)
            check(len(answer.lines) > 1, f"{line}: one line only: {answer}")
            for middle in answer.lines[1:-1]:
                check(middle[:1] == b" " or middle[:4] == b"%d-" % code, f"{line}: {middle}")


@suite.case("257 doubles quotes, and no control byte of a name reaches the line")
def _(world):
    with session(world) as control:
        equal(control.command('MKD a"b', 257).text[:7], b'"/a""b"')
        control.command('CWD a"b', 250)
        equal(control.command("PWD", 257).text[:7], b'"/a""b"')
        control.command("CDUP", 250, 200)
        for name in (b"tab\there", b"esc\x1b[31m", b"bell\x07", b"del\x7f"):
            control.command(b"MKD " + name, 257)
            check(name in world.user.names(), f"{name} in {world.user.names()}")
            control.command(b"CWD " + name, 250)
            control.command("PWD", 257)
            control.command("CWD /", 250)


@suite.case("a wrong name and a wrong password are told apart by nothing")
def _(world):
    answers = set()
    for name in ("demo", "nobody-here", "../demo", "%n%s", "ä"):
        with fresh(world, source=stranger()) as control:
            answers.add(control.command(f"USER {name}", 331).text)
            answers.add(control.command("PASS wrong", 530).text)
    equal(len(answers), 2, f"different texts {answers}")


if __name__ == "__main__":
    suite.main(server.quick)
