#!/usr/bin/python3 -B
"""Verbs beyond RFC 959 and 3659: digests, ranges, times, parts, SITE; what they do to real files.

Sources: draft-bryan-ftpext-hash-02, draft-bryan-ftp-range-08, draft-twine-ftpmd5-00,
draft-somers-ftp-mfxx-04, and what ProFTPD, GlobalSCAPE and their clients made of XCRC, COMB and SITE.
"""

import errno
import hashlib
import os
import zlib

from harness import server
from harness.fixtures import noise
from harness.ftp import Control, session
from harness.tap import Suite, check, equal

suite = Suite()

SIZE = 100_003
CONTENT = noise(SIZE)


def crc32(data):
    return f"{zlib.crc32(data):08x}"


def hashed(name):
    return lambda data: hashlib.new(name, data).hexdigest()


# As HASH names it: how it is computed, verbs of its own.
ALGORITHMS = {
    "SHA-256": (hashed("sha256"), ("XSHA256",)),
    "SHA-512": (hashed("sha512"), ("XSHA512",)),
    "SHA-1": (hashed("sha1"), ("XSHA", "XSHA1")),
    "MD5": (hashed("md5"), ("XMD5",)),
    "CRC32": (crc32, ("XCRC",)),
}


def with_file(world, name="verbs file"):
    path = world.user.path(name)
    if not path.exists():
        world.user.file(name, CONTENT)
    return name


@suite.table(list(ALGORITHMS), lambda name: f"{name}: the whole file, by HASH and by its own verbs")
def _(world, name):
    compute, verbs = ALGORITHMS[name]
    path = with_file(world)
    with session(world) as control:
        control.command(f"OPTS HASH {name}", 200)
        said = control.command(f"HASH {path}", 213).text.decode()
        equal(said, f"{name} 0-{SIZE - 1} {compute(CONTENT)} {path}", "HASH")
        for verb in verbs:
            for form in (path, f'"{path}"', f"/{path}"):
                said = control.command(f"{verb} {form}", 250).text.decode()
                equal(said, compute(CONTENT).upper(), f"{verb} {form}")


@suite.table(list(ALGORITHMS), lambda name: f"{name}: parts of a file")
def _(world, name):
    compute, verbs = ALGORITHMS[name]
    path = with_file(world)
    with session(world) as control:
        control.command(f"OPTS HASH {name}", 200)
        for first, last in ((0, 0), (1, 65536), (65535, 65537), (SIZE - 1, SIZE - 1)):
            part = CONTENT[first : last + 1]
            control.command(f"RANG {first} {last}", 350)
            said = control.command(f"HASH {path}", 213).text.decode()
            equal(said, f"{name} {first}-{last} {compute(part)} {path}", "HASH")
            for form in (f'"{path}" {first} {last + 1}', f"{path} {first} {last + 1}"):
                said = control.command(f"{verbs[0]} {form}", 250).text.decode()
                equal(said, compute(part).upper(), form)
        said = control.command(f'{verbs[0]} "{path}" 99999', 250).text.decode()
        equal(said, compute(CONTENT[99999:]).upper(), "from there to the end")


@suite.case("MD5 gives the path, too; an empty file has a digest")
def _(world):
    path = with_file(world)
    world.user.file("empty file")
    with session(world) as control:
        said = control.command(f"MD5 {path}", 251).text.decode()
        equal(said, f"{path} {hashlib.md5(CONTENT).hexdigest().upper()}", "MD5")
        said = control.command("HASH empty file", 213).text.decode()
        equal(said, f"SHA-256 0-0 {hashlib.sha256().hexdigest()} empty file", "HASH")
        equal(control.command("XCRC empty file", 250).text, b"00000000", "XCRC")


@suite.case("a name that could be a path with a range is that name")
def _(world):
    path = with_file(world)
    world.user.file(f"{path} 0 5", b"another one")
    world.user.file('"quoted"', b"in quotes")
    with session(world) as control:
        equal(control.command(f"XCRC {path} 0 5", 250).text.decode().lower(), crc32(b"another one"))
        equal(control.command('HASH "quoted"', 213).text.split()[-1], b'"quoted"')
        equal(control.command(f'HASH "{path}"', 213).text.split()[-1], b"file")
    os.unlink(world.user.path(f"{path} 0 5"))


@suite.case("a digest that takes long: ABOR ends it, others are served meanwhile")
def _(world):
    world.user.file("endless")
    os.truncate(world.user.path("endless"), 1 << 40)
    world.user.file("short", b"x")
    with session(world) as control, session(world) as other:
        for verb in ("HASH", "XCRC", "MD5"):
            control.line(f"{verb} endless")
            equal(other.fetch("RETR short"), b"x", "another session's file")
            control.command("STAT", 211)
            control.line("ABOR")
            control.reply(426)
            control.reply(226)
            control.command("NOOP", 200)
        control.line("HASH endless")
        control.line("PWD")  # waits, and ABOR behind it
        other.command("NOOP", 200)
        control.socket.sendall(b"\xff\xf4")
        control.socket.send(b"\xff", 1)  # MSG_OOB
        control.send(b"\xf2ABOR\r\n")
        control.reply(426)
        control.reply(226)
    os.unlink(world.user.path("endless"))


@suite.case("a client that goes away takes its digest with it")
def _(world):
    world.user.file("endless")
    os.truncate(world.user.path("endless"), 1 << 40)
    start = world.mark()
    with Control(world.address) as control:
        control.login(world.user.name, world.user.password)
        name = world.wait_record(start, event="attached", peer=control.name)["session"]
        control.line("HASH endless")
    world.wait_record(start, event="session_ended", session=name)
    record = world.wait_record(start, event="operation", session=name, name="digest")
    equal(record["error"], errno.ECANCELED, "errno of the digest")
    os.unlink(world.user.path("endless"))


def parts():
    return [(0, 0), (1, 3), (65530, 65540), (SIZE - 1, SIZE - 1), (SIZE - 1, 1 << 62), (0, (1 << 63) - 1)]


@suite.case("RANG and RETR: exactly these bytes, in every data mode")
def _(world):
    path = with_file(world)
    with session(world) as control:
        for mode in ("EPSV", "PORT"):
            for first, last in parts():
                with control.data(mode) as data:
                    control.command(f"RANG {first} {last}", 350)
                    control.command(f"RETR {path}", 150)
                    equal(data.read(), CONTENT[first : last + 1], f"{first} to {last}")
                    control.reply(226)
        equal(control.fetch(f"RETR {path}"), CONTENT, "the range is used up")


@suite.table(
    (
        "RANG 0 9223372036854775808",
        "RANG 9223372036854775808 9223372036854775809",
        "RANG 0 18446744073709551616",
        "RANG -1 5",
        "RANG 0 -1",
        "RANG 1e9 2e9",
        "RANG 0 ²",
        "RANG 0x0 0x1",
        "RANG 5 4",
        "RANG 0",
        "RANG 0 1 2",
        "RANG 0  1",
        "REST 9223372036854775808",
        "REST 18446744073709551616",
        "REST -1",
        "REST 1e9",
        "REST ²",
    ),
    lambda line: f"HOSTILE 25: {line} is refused, and what follows has the whole file",
)
def _(world, line):
    path = with_file(world)
    with session(world) as control:
        control.command(line, 501)
        equal(control.fetch(f"RETR {path}"), CONTENT, "the file")


@suite.case("HOSTILE 25: the largest numbers are none too many")
def _(world):
    path = with_file(world)
    largest = (1 << 63) - 1
    with session(world) as control:
        control.command(f"REST {largest}", 350)
        control.command("EPSV", 229)
        control.command(f"RETR {path}", 554)
        for line in (f"RANG {largest} {largest}", f"RANG {SIZE} {largest}"):
            control.command(line, 350)
            equal(control.fetch(f"RETR {path}"), b"", line)
            control.command(line, 350)
            control.command(f"HASH {path}", 554)
        for line in (f'XCRC "{path}" 0 {largest}', f'XCRC "{path}" {largest - 1} {largest}'):
            control.command(line, 554)
        control.command(f'XCRC "{path}" {largest}', 554)
        control.command("EPSV", 229)
        control.command(f"REST {largest}", 350)
        control.command(f"STOR {path}", 554)
        equal(world.user.path(path).read_bytes(), CONTENT, "the file")


@suite.case("a range is for the next command only; REST replaces it")
def _(world):
    path = with_file(world)
    with session(world) as control:
        control.command("RANG 0 5", 350)
        control.command("NOOP", 200)
        equal(len(control.fetch(f"RETR {path}")), SIZE, "bytes")
        control.command("RANG 0 5", 350)
        control.command("REST 10", 350)
        equal(control.fetch(f"RETR {path}"), CONTENT[10:], "REST")


def store_range(control, line, first, last, body, end=226):
    """STOR or APPE into a range: the last reply."""
    with control.data() as data:
        control.command(f"RANG {first} {last}", 350)
        control.command(line, 150)
        data.write(body)
        return control.reply(end)


@suite.case("RANG and STOR: these bytes and no others; a file grows, and is never cut")
def _(world):
    world.user.file("ranged", b"0123456789")
    path = world.user.path("ranged")
    with session(world) as control:
        store_range(control, "STOR ranged", 3, 5, b"abc")
        equal(path.read_bytes(), b"012abc6789", "inside")
        store_range(control, "APPE ranged", 9, 11, b"xyz")
        equal(path.read_bytes(), b"012abc678xyz", "beyond the end")
        store_range(control, "STOR ranged", 12, 12, b"!")
        equal(path.read_bytes(), b"012abc678xyz!", "at the end")
        store_range(control, "STOR made", 0, 2, b"new")
        equal(world.user.path("made").read_bytes(), b"new", "a new file")
        control.command("EPSV", 229)
        control.command("RANG 14 20", 350)
        control.command("STOR ranged", 554)
        equal(path.read_bytes(), b"012abc678xyz!", "beyond")
        control.store("STOR ranged", b"whole")
        equal(path.read_bytes(), b"whole", "without a range")


@suite.case("RANG and STOR: too much or too little is not acknowledged, and stays in the range")
def _(world):
    world.user.file("ranged", b"0123456789")
    path = world.user.path("ranged")
    with session(world) as control:
        store_range(control, "STOR ranged", 3, 5, b"abcdef", end=552)
        equal(path.read_bytes()[:3] + path.read_bytes()[6:], b"0126789", "around the range")
        store_range(control, "STOR ranged", 3, 5, b"ab", end=426)
        equal(path.read_bytes()[:3] + path.read_bytes()[6:], b"0126789", "around the range")
        control.command("NOOP", 200)


# Times and modes


MOMENTS = {
    "MFMT {} timed": None,
    "MDTM {} timed": None,
    "MFF Modify={}; timed": None,
    "SITE UTIME {} timed": None,
    "SITE UTIME timed {} {} {} UTC": (20010909014640, 1000000000),
}


@suite.table(list(MOMENTS), lambda form: f"times: {form}")
def _(world, form):
    world.user.file("timed", b"x")
    os.utime(world.user.path("timed"), (1234567890, 1234567890))
    with session(world) as control:
        control.command(form.format(*("20010909014640",) * 3), 200, 213)
        state = world.user.path("timed").stat()
        equal(state.st_mtime_ns, 1_000_000_000 * 10**9, "mtime")
        accessed = 1_000_000_000 if MOMENTS[form] else 1234567890
        equal(int(state.st_atime), accessed, "atime")
        control.command(form.format(*("19601231235959.25",) * 3), 200, 213)
        equal(world.user.path("timed").stat().st_mtime_ns, -283_996_800_750_000_000, "mtime")


@suite.case("modes: SITE CHMOD and MFF set them, the umask takes from new ones")
def _(world):
    world.user.file("moded", b"x")
    with session(world) as control:
        for line, mode in (("SITE CHMOD 751 moded", 0o751), ("MFF UNIX.mode=0604; moded", 0o604)):
            control.command(line, 200, 213)
            equal(world.user.path("moded").stat().st_mode & 0o7777, mode, line)
        control.command("SITE UMASK 077", 200)
        control.store("STOR masked", b"x")
        control.store("APPE masked2", b"x")
        control.command("MKD masked3", 257)
        for name, mode in (("masked", 0o600), ("masked2", 0o600), ("masked3", 0o700)):
            equal(world.user.path(name).stat().st_mode & 0o7777, mode, name)
    with session(world) as control:
        control.store("STOR unmasked", b"x")
        equal(world.user.path("unmasked").stat().st_mode & 0o7777, 0o644, "another session's")


# Parts, copies, trees


@suite.case("COMB: what was stored in parts is the whole, once and again")
def _(world):
    size = len(CONTENT) // 4 + 1
    with session(world) as control:
        for number in range(4):
            control.store(f"STOR part {number}", CONTENT[number * size : (number + 1) * size])
        control.command('COMB "whole one" "part 0" "part 1" "part 2"', 250)
        control.command('COMB "whole one" "part 3"', 250)
        equal(control.fetch("RETR whole one"), CONTENT, "the whole")
        control.command("SIZE part 3", 550)


@suite.case("COMB is in the record: the target, and each part")
def _(world):
    start = world.mark()
    for name in ("recorded 1", "recorded 2"):
        world.user.file(name, b"x")
    with session(world) as control:
        control.command('COMB all "recorded 1" "recorded 2"', 250)
    world.wait_record(start, event="operation", name="combine", path="/all", error=0)
    for name in ("/recorded 1", "/recorded 2"):
        world.wait_record(start, event="operation", name="combine", path=name, destination="/all")


@suite.case("SITE CPFR, CPTO and COPY copy what is there, with a mode of its own")
def _(world):
    path = with_file(world)
    world.user.path(path).chmod(0o600)
    with session(world) as control:
        control.command(f"SITE CPFR {path}", 350)
        control.command("SITE CPTO the copy", 250)
        control.command(f'SITE COPY "{path}" "another copy"', 250)
        for name in ("the copy", "another copy"):
            equal(world.user.path(name).read_bytes(), CONTENT, name)
            equal(world.user.path(name).stat().st_mode & 0o7777, 0o644, name)


@suite.case("RMDA takes the tree, and follows no link out of it")
def _(world):
    world.user.file("tree/a/b/c", b"x")
    world.user.file("kept/file", b"x")
    os.symlink("../kept", world.user.path("tree/link"))
    with session(world) as control:
        control.command("RMDA tree", 250)
        control.command("CWD tree", 550)
        equal(control.fetch("RETR kept/file"), b"x", "what the link led to")


@suite.case("SITE WHO shows the user's sessions, SITE QUOTA and AVBL what there is")
def _(world):
    with session(world) as control, session(world):
        lines = control.command("SITE WHO", 200).lines
        mine = [line for line in lines if line.endswith(b", this one")]
        equal(len(mine), 1, "sessions of ours")
        check(len(lines) >= 4 and b"127.0.0.1" in mine[0], f"{lines}")
        control.command("SITE QUOTA", 200)
        room = int(control.command("AVBL", 213).text)
        control.command(f"ALLO {room // 2}", 200)
        control.command(f"ALLO {room * 2}", 452)


@suite.case("CLNT is in the record, with its session")
def _(world):
    start = world.mark()
    with session(world) as control:
        control.command("CLNT a client \u20ac", 200)
        name = world.wait_record(start, event="attached", peer=control.name)["session"]
    world.wait_record(start, event="client", session=name, name="a client \u20ac")


if __name__ == "__main__":
    suite.main(server.quick)
