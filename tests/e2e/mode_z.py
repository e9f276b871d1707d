#!/usr/bin/python3 -B
"""MODE Z: transfers as one zlib stream, both ways, with Python's zlib and with lftp.

Source: draft-preston-ftpext-deflate-04.  Offsets (REST) and sizes (SIZE, 150) are of the file, not
of the stream.  A stream that is cut, damaged or followed by more is no upload; a bomb (HOSTILE 34)
takes what room there is and others have their turn meanwhile.
"""

import contextlib
import shutil
import zlib

from harness import clients, ftp, place, server
from harness.fixtures import noise, same
from harness.ftp import Control, session
from harness.tap import Skip, Suite, check, equal, wait_until

suite = Suite()

HUNDRED = b"compressible, line after line\r\n" * (100 * (1 << 20) // 31)
CONTENTS = [
    ("nothing", b""),
    ("one byte", b"x"),
    ("a megabyte of noise", noise(1 << 20)),
    ("100 MiB of lines", HUNDRED),
]
MIB = 1 << 20


@contextlib.contextmanager
def deflating(world, user=None):
    """A session in TYPE I and MODE Z."""
    with session(world, user) as control:
        control.command("MODE Z", 200)
        yield control


def inflate(stream):
    """Of one whole zlib stream and nothing behind it."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(stream)
    check(inflater.eof and not inflater.unused_data, "not exactly one zlib stream")
    return text


def names_stay(world, before):
    wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")


# Whole transfers


@suite.table(CONTENTS, lambda row: f"RETR: {row[0]}")
def _(world, row):
    _, content = row
    world.user.file("down", content)
    with deflating(world) as control:
        stream = control.fetch("RETR down")
        same(inflate(stream), content, "content")
        check(len(stream) <= len(content) + len(content) // 100 + 64, "larger than the file")
        control.command("MODE S", 200)
        same(control.fetch("RETR down"), content, "in MODE S again")


@suite.table(CONTENTS, lambda row: f"STOR: {row[0]}")
def _(world, row):
    _, content = row
    with deflating(world) as control:
        control.store("STOR up", zlib.compress(content, 1))
        same(world.user.path("up").read_bytes(), content, "content")
        control.command("DELE up", 250)


@suite.case("every way to make the data connection")
def _(world):
    world.user.file("four", noise(100_000))
    with deflating(world) as control:
        for mode in ftp.MODES_4:
            same(inflate(control.fetch("RETR four", mode)), noise(100_000), mode)


@suite.case("listings")
def _(world):
    world.user.folder("names/inner")
    for number in range(300):
        world.user.file(f"names/{number:03}", b"x")
    with session(world) as control:
        for command in ("NLST names", "MLSD names", "LIST names", "NLST names/inner"):
            plain = control.fetch(command)
            control.command("MODE Z", 200)
            stream = control.fetch(command)
            control.command("MODE S", 200)
            equal(sorted(inflate(stream).split(b"\r\n")), sorted(plain.split(b"\r\n")), command)
            check(not plain or len(stream) < len(plain), f"{command} became larger")


@suite.case("TYPE A: line ends are converted before and after")
def _(world):
    world.user.file("text", b"a\nb\r\nc")
    with deflating(world) as control:
        control.command("TYPE A", 200)
        equal(inflate(control.fetch("RETR text")), b"a\r\nb\r\nc")
        control.store("STOR text", zlib.compress(b"a\r\nb\rcd\r\n" * 50_000))  # 9: cut anywhere
        same(world.user.path("text").read_bytes(), b"a\nb\rcd\n" * 50_000, "stored")


@suite.case("REST, SIZE and 150 are about the file")
def _(world):
    content = noise(300_000)
    world.user.file("rest", content)
    with deflating(world) as control:
        equal(control.command("SIZE rest", 213).text, b"300000")
        for offset in (0, 1, 65_536, 299_999, 300_000):
            control.command(f"REST {offset}", 350)
            same(inflate(control.fetch("RETR rest")), content[offset:], f"from {offset}")
        with control.data():
            control.command("REST 300001", 350)
            control.command("RETR rest", 554)
        with control.data() as data:
            check(b"300000" in control.command("RETR rest", 150).text, "no size in 150")
            data.read()
            control.reply(226)
        control.command("REST 100", 350)
        control.store("STOR rest", zlib.compress(b"end"))
        same(world.user.path("rest").read_bytes(), content[:100] + b"end", "stored from there")


@suite.case("APPE and STOU")
def _(world):
    with deflating(world) as control:
        for want in (b"one", b"oneone"):
            control.store("APPE log", zlib.compress(b"one"))
            equal(world.user.path("log").read_bytes(), want)
        with control.data() as data:
            name = control.command("STOU unique", 150).text.split()[-1]
            data.write(zlib.compress(b"mine"))
            control.reply(226)
        equal(world.user.path(name.decode()).read_bytes(), b"mine")


@suite.case("OPTS MODE Z LEVEL is heeded")
def _(world):
    world.user.file("levels", HUNDRED[:MIB])
    with deflating(world) as control:
        sizes = []
        for level in (0, 1, 9):
            control.command(f"OPTS MODE Z LEVEL {level}", 200)
            sizes.append(len(control.fetch("RETR levels")))
        check(sizes[0] > MIB > sizes[1] > sizes[2], f"{sizes}")
        control.command("OPTS MODE Z LEVEL 10", 501)


@suite.case("the record tells the bytes of the wire, and that they were deflated")
def _(world):
    world.user.file("told", HUNDRED[:MIB])
    with deflating(world) as control:
        start = world.mark()
        stream = control.fetch("RETR told")
        control.store("STOR told", stream)
        for name in ("send", "receive"):
            line = world.wait_record(start, event="transfer", name=name, path="/told")
            equal((line["coding"], line["bytes"]), ("deflate", len(stream)), name)


# What is no whole stream

BROKEN = [
    ("nothing at all", lambda whole: b"", 426),
    ("the first half", lambda whole: whole[: len(whole) // 2], 426),
    ("all but the last byte", lambda whole: whole[:-1], 426),
    ("a byte turned over", lambda whole: whole[:500] + bytes([whole[500] ^ 8]) + whole[501:], 451),
    ("a wrong sum at the end", lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), 451),
    ("one more byte", lambda whole: whole + b"\0", 451),
    ("two streams", lambda whole: whole + whole, 451),
    ("no compression at all", lambda whole: b"hello, world\r\n" * 1000, 451),
    ("gzip", lambda whole: b"\x1f\x8b\x08" + whole, 451),
]


@suite.table(BROKEN, lambda row: f"HOSTILE 34: no upload: {row[0]}")
def _(world, row):
    _, broken, code = row
    stream = broken(zlib.compress(noise(50_000)))
    world.user.file("kept", b"the old one")
    before = world.user.names()
    with deflating(world) as control:
        for name in ("kept", "new"):
            with control.data() as data:
                control.command(f"STOR {name}", 150)
                with contextlib.suppress(ConnectionError):
                    data.write(stream)
                control.reply(code)
        names_stay(world, before)
        equal(world.user.path("kept").read_bytes(), b"the old one")
        control.store("STOR kept", zlib.compress(b"a new one"))


# Aborted, and hostile


@suite.case("ABOR in the middle, both ways: 426 and 226, nothing is left, and the next one works")
def _(world):
    world.user.file("big", noise(16 * MIB))
    before = world.user.names()
    with deflating(world) as control:
        for command in ("RETR big", "STOR half"):
            with control.data() as data:
                control.command(command, 150)
                if command == "STOR half":
                    data.socket.sendall(zlib.compress(noise(MIB))[:-9])
                control.command("ABOR", 426)
                control.reply(226)
        equal(inflate(control.fetch("RETR big"))[:1000], noise(1000))
    names_stay(world, before)


def bomb(mebibytes):
    """A stream a thousandth as long as what comes out."""
    deflater = zlib.compressobj(9)
    piece = bytes(MIB)
    pieces = [deflater.compress(piece) for _ in range(mebibytes)]
    return b"".join([*pieces, deflater.flush()])


@suite.case("HOSTILE 34: while a bomb goes off, the same user's other session is served; ABOR ends it")
def _(world):
    stream = bomb(64)
    before = world.user.names()
    with deflating(world) as control, session(world) as other:
        with control.data() as data:
            control.command("STOR bomb", 150)
            data.socket.sendall(stream[:-9])
            for number in range(10):
                other.store(f"STOR beside{number}", noise(10_000))
                other.command(f"DELE beside{number}", 250)
            control.command("ABOR", 426)
            control.reply(226)
        control.command("PWD", 257)
    names_stay(world, before)


@suite.case("HOSTILE 34: a bomb ends where there is no room: 452, and the room is there again")
def _(_world):
    with server.configured(backend="memory", memory_limit="16MiB") as small:
        with deflating(small) as control:
            for _ in range(3):
                with control.data() as data:
                    control.command("STOR bomb", 150)
                    with contextlib.suppress(ConnectionError):
                        data.write(bomb(64))
                    control.reply(452)
                control.command("SIZE bomb", 550)
            control.store("STOR fits", zlib.compress(noise(8 * MIB)))


# Where it is not offered


@suite.case("mode_z = no: not announced and refused; a user may have it all the same")
def _(_world):
    users = (("plain", None, ""), ("zip", None, "mode_z"))
    with server.configured(users, mode_z="no") as world:
        for user, is_offered in zip(world.users, (False, True)):
            with Control(world.address) as control:
                control.login(user.name, user.password)
                features = control.command("FEAT", 211).lines
                equal(b" MODE Z" in features, is_offered, f"{user.name}: FEAT")
                control.command("MODE Z", 200 if is_offered else 504)
                control.fetch("NLST")


# A client that speaks it


def lftp(world, folder):
    if not shutil.which("lftp"):
        raise Skip("lftp")
    return clients.Lftp(world.user, world.address, "EPSV", folder)


@suite.case("lftp: sizes, both ways, resumed both ways, and a listing")
def _(world):
    contents = {f"file{number}": content for number, (_, content) in enumerate(CONTENTS)}
    start = world.mark()
    for name, content in contents.items():
        world.user.file(f"lftp/{name}", content)
    world.user.folder("lftp-up")
    with place.temporary_folder() as folder:
        client = lftp(world, folder)
        client.get("lftp", list(contents), folder)
        for name, content in contents.items():
            same((folder / name).read_bytes(), content, f"fetched {name}")
        client.put(folder, list(contents), "lftp-up")
        for name, content in contents.items():
            same(world.user.path(f"lftp-up/{name}").read_bytes(), content, f"stored {name}")
        (folder / "file2").write_bytes(noise(MIB)[:123_456])
        client.resume_get("lftp", "file2", folder)
        same((folder / "file2").read_bytes(), noise(MIB), "resumed")
        world.user.file("lftp-up/file2", noise(MIB)[:123_456])
        client.resume_put(folder, "file2", "lftp-up")
        same(world.user.path("lftp-up/file2").read_bytes(), noise(MIB), "resumed")
        check("file3" in client.script("cls lftp"), "no listing")
    for name in ("send", "receive", "send_listing"):
        world.wait_record(start, event="transfer", name=name, coding="deflate")


if __name__ == "__main__":
    suite.main(server.quick)
