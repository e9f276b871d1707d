#!/usr/bin/python3 -B
"""Transfers: sizes, restart, append, unique names, text, cut short, a full disk, two at once.

Sources: RFC 959 §3.4, §3.5 and §4.1.3, RFC 3659 §5, and PATHIO.md §3: an upload goes to a hidden
temporary file and appears under its name whole, or not at all.
"""

import contextlib
import os
import re
import socket

from harness import ftp, server
from harness.fixtures import noise, same
from harness.ftp import Control, session
from harness.launch import run
from harness.place import has_sanitizer, temporary_folder
from harness.tap import Suite, check, equal, need_root, wait_until

suite = Suite()

SIZES = [0, 1, 1 << 20, 100 << 20]
BIG = 64 << 20


@suite.table(SIZES, lambda size: f"RETR of {size} bytes")
def _(world, size):
    content = noise(size)
    world.user.file("down", content)
    with session(world) as control:
        for mode in ftp.MODES_4:
            same(control.fetch("RETR down", mode), content, mode)


@suite.table(SIZES, lambda size: f"STOR of {size} bytes")
def _(world, size):
    content = noise(size)
    with session(world) as control:
        for mode in ftp.MODES_4:
            control.store("STOR up", content, mode)
            same(world.user.path("up").read_bytes(), content, mode)
            control.command("DELE up", 250)


@suite.case("150 names the size, 226 the bytes")
def _(world):
    world.user.file("told", noise(123457))
    with session(world) as control, control.data() as data:
        check(b"123457" in control.command("RETR told", 150).text, "no size in 150")
        data.read()
        said = control.reply(226).text
        check(re.search(rb": 123457 bytes(, \d+ KiB/s)?\.$", said), f"no bytes in {said}")


# Restart, append, unique


@suite.case("RETR after REST sends from there; the offset is used once")
def _(world):
    content = noise(300_000)
    world.user.file("rest", content)
    with session(world) as control:
        for offset in (0, 1, 65536, 299_999, 300_000):
            control.command(f"REST {offset}", 350)
            same(control.fetch("RETR rest"), content[offset:], f"from {offset}")
        same(control.fetch("RETR rest"), content, "afterwards")


@suite.case("an offset beyond the end is 554 at the transfer, before 150, and harms nothing")
def _(world):
    world.user.file("short", b"0123456789")
    with session(world) as control:
        for verb in ("RETR", "STOR", "APPE"):
            with control.data():
                control.command("REST 11", 350)
                control.command(f"{verb} short", 554)
        equal(control.fetch("RETR short"), b"0123456789")


@suite.case("another command between REST and RETR forgets the offset")
def _(world):
    world.user.file("rest", b"0123456789")
    with session(world) as control:
        control.command("REST 5", 350)
        control.command("NOOP", 200)
        equal(control.fetch("RETR rest"), b"0123456789")


@suite.case("a refused RETR uses the offset up")
def _(world):
    world.user.file("rest", b"0123456789")
    with session(world) as control:
        control.command("EPSV", 229)
        control.command("REST 5", 350)
        control.command("RETR none", 550)
        equal(control.fetch("RETR rest"), b"0123456789")


@suite.case("STOR after REST keeps what is before, cuts there and writes on")
def _(world):
    for offset, body, want in (
        (4, b"XY", b"0123XY"),
        (10, b"AB", b"0123456789AB"),
        (0, b"Z", b"Z"),
    ):
        world.user.file("again", b"0123456789")
        with session(world) as control:
            control.command(f"REST {offset}", 350)
            control.store("STOR again", body)
            equal(control.fetch("RETR again"), want, f"REST {offset}")


@suite.case("APPE writes on, and makes what is missing")
def _(world):
    with session(world) as control:
        for want in (b"one", b"oneone", b"oneoneone"):
            control.store("APPE log", b"one")
            equal(control.fetch("RETR log"), want)


@suite.case("STOU makes a new name each time and tells it in 150")
def _(world):
    names = set()
    with session(world) as control:
        control.command("MKD unique", 257)
        control.command("CWD unique", 250)
        for count in range(5):
            with control.data() as data:
                said = control.command("STOU", 150)
                name = re.search(rb"FILE: (\S+)", said.lines[0])
                check(name, f"RFC 1123 §4.1.2.9: 150 FILE: name, got {said}")
                data.write(b"%d" % count)
                control.reply(226)
            names.add(name[1])
            equal(control.fetch(b"RETR " + name[1]), b"%d" % count)
    equal(world.user.names("unique"), sorted(names), "names")


@suite.case("STOR over a file replaces it and keeps its mode")
def _(world):
    world.user.file("kept", b"old and longer", mode=0o640)
    with session(world) as control:
        control.store("STOR kept", b"new")
    equal(world.user.path("kept").read_bytes(), b"new")
    equal(world.user.path("kept").stat().st_mode & 0o7777, 0o640, "mode")


@suite.case("STOR over a symbolic link replaces what it points to")
def _(world):
    world.user.file("target", b"old")
    os.symlink("target", world.user.path("pointer"))
    with session(world) as control:
        control.store("STOR pointer", b"new")
    check(world.user.path("pointer").is_symlink(), "the link is gone")
    equal(world.user.path("target").read_bytes(), b"new")


# Text

TEXTS = [
    ("a line", b"a\nb\n", b"a\r\nb\r\n"),
    ("empty", b"", b""),
    ("only line ends", b"\n\n\n", b"\r\n\r\n\r\n"),
    ("CRLF already there", b"a\r\nb\nc", b"a\r\nb\r\nc"),
    ("a lone CR", b"a\rb\n", b"a\rb\r\n"),
    ("no end", b"a\nb", b"a\r\nb"),
    ("long", b"0123456789abcde\n" * 50_000, b"0123456789abcde\r\n" * 50_000),
    ("CRLF across buffers", b"0123456789abc\r\n" * 50_000, b"0123456789abc\r\n" * 50_000),
]


@suite.table(TEXTS, lambda row: f"RETR in TYPE A: {row[0]}")
def _(world, row):
    _, local, wire = row
    world.user.file("text", local)
    with session(world) as control:
        control.command("TYPE A", 200)
        same(control.fetch("RETR text"), wire, "on the wire")
        equal(control.command("SIZE text", 213).text, b"%d" % len(wire), "SIZE")


@suite.case("STOR in TYPE A: CRLF becomes LF, also when a segment ends between them")
def _(world):
    with session(world) as control:
        control.command("TYPE A", 200)
        for pieces in ([b"a\r\nb\r\n"], [b"a\r", b"\nb\r", b"\n"], [b"a", b"\r", b"\n", b"b\r\n"]):
            with control.data() as data:
                control.command("STOR text", 150)
                data.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in pieces:
                    data.socket.sendall(piece)
                    control.command("STAT", 211, 213)  # answered: the piece before it has gone out
                data.close()
                control.reply(226)
            equal(world.user.path("text").read_bytes(), b"a\nb\n", f"{pieces}")
        for count in (1, 4095, 65535, 65536, 99_999):
            body = (b"x" * count + b"\r\n") * 5
            control.store("STOR text", body)
            same(world.user.path("text").read_bytes(), body.replace(b"\r\n", b"\n"), f"{count}")


@suite.case("STOR in TYPE A leaves a lone CR and a last CR alone")
def _(world):
    with session(world) as control:
        control.command("TYPE A", 200)
        control.store("STOR text", b"a\rb\r\r\nc\r")
        equal(world.user.path("text").read_bytes(), b"a\rb\r\nc\r")


# Cut short


@contextlib.contextmanager
def half_upload(world, command="STOR half"):
    """(control, data) with a megabyte of an upload on its way and no end in sight."""
    with Control(world.address) as control:
        control.login(world.user.name, world.user.password)
        control.command("TYPE I", 200)
        with control.data() as data:
            control.command(command, 150)
            data.socket.sendall(bytes(1 << 20))
            yield control, data


@suite.case("an upload whose data connection is reset is 426 and leaves nothing")
def _(world):
    before = world.user.names()
    with half_upload(world) as (control, data):
        data.reset()
        control.reply(426)
        control.command("SIZE half", 550)
    wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")


@suite.case("an upload whose control connection ends leaves nothing")
def _(world):
    before = world.user.names()
    for end in (socket.socket.close, ftp.reset):
        with half_upload(world) as (control, _):
            end(control.socket)
            wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")


@suite.case("an upload cut short leaves the file that was there as it was")
def _(world):
    world.user.file("half", b"the old one")
    with half_upload(world) as (control, data):
        data.reset()
        control.reply(426)
        equal(control.fetch("RETR half"), b"the old one")


@suite.case("keep_partial: an upload cut short is kept beside the file, under a name that says so")
def _(_world):
    users = (("keeps", None, "keep_partial"), ("drops", None, ""))
    with server.configured(users, server.SHA512_1000) as world:
        for user, kept in zip(world.users, ([b"half", b"half.partial"], [b"half"])):
            user.file("half", b"the old one")
            with session(world, user) as control:
                with control.data() as data:
                    control.command("STOR half", 150)
                    data.socket.sendall(noise(100_000))
                    wait_until(lambda: b" 100000 bytes" in b"".join(control.command("STAT", 211).lines),
                               "all is there")
                    data.reset()
                    control.reply(426)
                wait_until(lambda: user.names() == kept, f"names of {user.name}: {user.names()}")
                equal(control.fetch("RETR half"), b"the old one")
                if b"half.partial" in kept:
                    control.command("RNFR half.partial", 350)
                    control.command("RNTO half", 250)
                    control.command("REST 100000", 350)
                    control.store("STOR half", noise(300_000)[100_000:])
                    same(control.fetch("RETR half"), noise(300_000), "resumed")


@suite.case("an upload under way is invisible, and the old file is still served")
def _(world):
    world.user.file("place/half", b"the old one")
    with half_upload(world, "STOR place/half") as (control, data), session(world) as other:
        hidden = [name for name in world.user.names("place") if name != b"half"]
        equal(len(hidden), 1, "hidden files")
        check(re.fullmatch(rb"\.sallyport-[0-9a-f]{16}\.part", hidden[0]), f"{hidden}")
        equal(other.lines("NLST -a place"), other.lines("NLST place"), "NLST")
        check(hidden[0] not in other.fetch("MLSD place"), "MLSD shows it")
        check(hidden[0] not in other.fetch("LIST -a place"), "LIST shows it")
        equal(other.fetch("RETR place/half"), b"the old one")
        for verb in (b"RETR", b"SIZE", b"DELE", b"RNFR", b"MLST", b"STOR", b"APPE"):
            other.command("EPSV", 229)
            other.command(verb + b" place/" + hidden[0], 550, 553)
        data.close()
        control.reply(226)
    equal(world.user.names("place"), [b"half"], "names afterwards")


@suite.case("a reset data connection costs the download (426), not the session")
def _(world):
    world.user.file("big", bytes(BIG))
    with session(world) as control:
        with control.data() as data:
            control.command("RETR big", 150)
            data.socket.recv(1000)
            data.reset()
        control.reply(426)
        control.command("PWD", 257)


# Side by side


@suite.case("a download that nobody reads does not hold that user's other session")
def _(world):
    world.user.file("big", bytes(BIG))
    with session(world) as slow, slow.data() as data:
        slow.command("RETR big", 150)
        with session(world) as quick:
            for count in range(20):
                quick.store(f"STOR beside{count}", noise(10_000))
                same(quick.fetch(f"RETR beside{count}"), noise(10_000), "beside")
        equal(len(data.read()), BIG, "bytes")
        slow.reply(226)


@suite.case("two uploads of one name at once: the last to end wins, whole")
def _(world):
    with session(world) as one, session(world) as two:
        with one.data() as first, two.data() as second:
            one.command("STOR both", 150)
            two.command("STOR both", 150)
            first.socket.sendall(b"1" * 500_000)
            second.socket.sendall(b"2" * 500_000)
            first.write(b"1" * 500_000)
            one.reply(226)
            second.write(b"2" * 500_000)
            two.reply(226)
        same(one.fetch("RETR both"), b"2" * 1_000_000, "content")


@suite.case("a descriptor and memory are back after transfers of every kind")
def _(world):
    need_root("the server's descriptors and memory are closed to others")
    world.user.file("big", bytes(BIG))

    def round_of_everything():
        with session(world) as control:
            for mode in ftp.MODES_4:
                control.store("STOR x", noise(1 << 20), mode)
                control.fetch("RETR x", mode)
                control.lines("LIST")
            control.command("EPSV", 229)
            with control.data() as data:
                control.command("RETR big", 150)
                data.reset()
                control.reply(426)
            control.command("DELE x", 250)
        with half_upload(world):
            pass

    # A gateway or a thread whose first share comes late takes memory and descriptors for good, but
    # once: what leaks does so each time.
    before = world.idle_footprint()
    for _ in range(8):
        for _ in range(3):
            round_of_everything()
        after = world.idle_footprint()
        more = after.descriptors - before.descriptors
        grown = 0 if has_sanitizer() else after.memory_bytes - before.memory_bytes
        before = after
        if more == 0 and grown < 256 << 10:
            break
    check(more == 0 and grown < 256 << 10, f"{more} descriptors and {grown} bytes more each time")


# A full disk


@contextlib.contextmanager
def small_disk():
    """A folder with room for 4 MiB."""
    need_root("mounts a small tmpfs")
    with temporary_folder() as folder:
        run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "none", folder])
        try:
            yield folder
        finally:
            run(["umount", "-l", folder])


@suite.case("a full disk: 452, no partial file, and room again afterwards")
def _(_world):
    with small_disk() as folder:
        with server.quick(home=folder) as world:
            world.user.file("old", b"kept")
            before = world.user.names()
            with session(world) as control:
                for name in ("new", "old"):
                    with control.data() as data:
                        control.command(f"STOR {name}", 150)
                        with contextlib.suppress(ConnectionError):
                            data.write(bytes(8 << 20))
                        control.reply(452)
                    wait_until(lambda: world.user.names() == before, "no partial file")
                equal(control.fetch("RETR old"), b"kept")
                control.store("STOR new", noise(1 << 20))
                same(control.fetch("RETR new"), noise(1 << 20), "content")


if __name__ == "__main__":
    suite.main(server.quick)
