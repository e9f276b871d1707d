#!/usr/bin/python3 -B
"""Listings that were made to hurt: patterns that blow up, trees without a bottom, names that say more
than a name.  Afterwards the same processes serve a new session as if nothing had been.
"""

import contextlib
import json
import os
import tempfile

from harness import server
from harness.fixtures import small_tree
from harness.ftp import log_in_again, session
from harness.tap import Suite, check, equal

suite = Suite()

DEPTH, LEVELS_SHOWN = 10_000, 64
BLOW_UP = "*a" * 50 + "*b"
PATTERNS = {
    "a tilde and a brace": "~{",
    "twenty pairs of braces": "{a,b}" * 20,
    "stars between a hundred letters": BLOW_UP,
    "the same on several levels": f"{BLOW_UP}/{BLOW_UP}/{BLOW_UP}",
    "sets that do not close": "[" * 255,
    "sets of everything": "[!a-b]" * 42,
    "4 KiB of stars": "*" * 4000,
    "4 KiB of question marks in levels": "?" * 250 + ("/" + "?" * 250) * 14,
    "more levels than are searched": "*/" * 2000,
    "backslashes": "\\" * 255,
}
VERBS = ("LIST", "NLST", "LIST -R", "NLST -Ra", "STAT", "STAT -R")


def listing(control, line):
    """(code, lines) of a listing, however it ends."""
    if line.startswith("STAT"):
        answer = control.command(line)
        return answer.code, answer.lines[1:-1]
    with control.data() as data:
        answer = control.command(line)
        if answer.code != 150:
            return answer.code, []
        body = data.read()
        return control.reply().code, body.split(b"\r\n")[:-1]


@contextlib.contextmanager
def unharmed(world):
    """The processes are the same afterwards, and serve."""
    with session(world) as control:
        before = sorted(world.processes())
        yield control
    log_in_again(world)
    equal(sorted(world.processes()), before, "processes")


@suite.table(list(PATTERNS), lambda name: f"HOSTILE 8: {name}: bounded, and a listing or a refusal")
def _(world, name):
    folder = world.user.folder("patterns")
    if not folder.joinpath("a" * 100).exists():
        for count in range(100):
            world.user.file(f"patterns/{'a' * (100 + count)}")
    with unharmed(world) as control:
        control.command("CWD patterns", 250)
        for verb in VERBS:
            code, lines = listing(control, f"{verb} {PATTERNS[name]}")
            check(code in (226, 212, 213, 501, 550, 553), f"{verb}: {code}")
            check(len(lines) <= 101, f"{verb}: {len(lines)} lines")


@contextlib.contextmanager
def deep_tree(user, name, depth):
    """Folders in each other, deeper than any path is long; gone again afterwards."""
    top = os.open(user.folder(name), os.O_RDONLY)
    try:
        make_deep(user, os.dup(top), depth)
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):  # from the top: it is never far away
            while True:
                os.rename("d/d", "below", src_dir_fd=top, dst_dir_fd=top)
                os.rmdir("d", dir_fd=top)
                os.rename("below", "d", src_dir_fd=top, dst_dir_fd=top)
        os.close(top)


def make_deep(user, here, depth):
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        if os.geteuid() == 0:
            os.chown("d", user.uid, user.uid, dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)


@suite.case("HOSTILE 9: a tree 10,000 deep: shown to a depth, then an error")
def _(world):
    with deep_tree(world.user, "deep", DEPTH), unharmed(world) as control:
        for line in ("LIST -R deep", "NLST -R deep", "LIST -aR deep", "LIST -R d*", "NLST -RtL deep"):
            code, lines = listing(control, line)
            equal(code, 451, line)
            heads = [row for row in lines if row.endswith(b":") or row.startswith(b"deep")]
            check(LEVELS_SHOWN <= len(heads) <= LEVELS_SHOWN + 2, f"{line}: {len(heads)} folders")
        code, lines = listing(control, "STAT -R deep")
        equal(code, 212, "STAT -R")
        check(lines[-1].startswith(b" ... not all: "), f"STAT -R ends with {lines[-1]}")


@suite.case("HOSTILE 9: LIST -R */../*/.. and its like are refused, and folded ones are one listing")
def _(world):
    here = small_tree(world.user, "dots")
    with unharmed(world) as control:
        control.command(f"CWD {here}", 250)
        for path in ("*/../*/..", "*/" + "../*/" * 500, "full/*/../..", "*/./*"):
            for verb in VERBS:
                equal(listing(control, f"{verb} {path}")[0], 501, f"{verb} {path}")
        _, plain = listing(control, "NLST -R full")
        code, lines = listing(control, "NLST -R " + "full/../" * 500 + "full")
        equal((code, len(lines)), (226, len(plain)), "folded")


@suite.case("HOSTILE 9: links that lead up are shown and not followed")
def _(world):
    here = small_tree(world.user, "loops")
    for name, target in (("self", "."), ("up", ".."), ("root", "/"), ("full/back", "../full")):
        os.symlink(target, world.user.path(f"{here}/{name}"))
    with unharmed(world) as control:
        for options in ("-R", "-RL", "-RLa"):
            code, lines = listing(control, f"LIST {options} {here}")
            heads = sorted(row for row in lines if row.endswith(b":"))
            equal((code, heads), (226, [b"loops/empty:", b"loops/full:", b"loops:"]), options)
            back = [row for row in lines if row.endswith(b" back") or b" back -> " in row]
            equal(len(back), 1, f"{options}: how often one entry is shown")


# Each is one name. The last column is what a client may see of it.
NAMES = [
    (b"two\r\n226 lines", b"two??226 lines"),
    (b"\nfirst", b"?first"),
    (b"last\r", b"last?"),
    (b"\x1b]0;title\x07", b"?]0;title?"),
    (b"\x1b[2J\x1b[31mred", b"?[2J?[31mred"),
    (b"\xc2\x9b31m", b"??31m"),
    (b"tab\tbell\x07delete\x7f", b"tab?bell?delete?"),
    (b"212 End", b"212 End"),
    (b"250 End", b"250 End"),
    (b"type=file;size=0; other", b"type=file;size=0; other"),
    (b"-rw-r--r-- 1 a b 0 Jan 1 00:00 other", b"-rw-r--r-- 1 a b 0 Jan 1 00:00 other"),
    (b"not \xff\xfe UTF-8", b"not \xff\xfe UTF-8"),
]


def odd_folder(user, name):
    """Each name twice: a file, and a folder with a file in it."""
    for kind in ("files", "folders"):
        user.folder(f"{name}/{kind}")
        for odd, _ in NAMES:
            path = os.fsencode(user.folder(f"{name}/{kind}")) + b"/" + odd
            if kind == "folders":
                os.mkdir(path)
                user.own(path)
                path += b"/x"
            with open(path, "wb"):
                user.own(path)


def is_neutral(text):
    """Nothing in it that a terminal or a reader of lines takes for more than a character."""
    plain = all(byte >= 0x20 and byte != 0x7F for byte in text)
    return plain and not any(bytes((0xC2, byte)) in text for byte in range(0x80, 0xA0))


@suite.case("HOSTILE 15: one entry is one line in every listing, and no byte of it is a control")
def _(world):
    odd_folder(world.user, "odd")
    want = sorted(seen for _, seen in NAMES)
    with unharmed(world) as control:
        for line, cut in (
            ("LIST odd/files", lambda row: row.split(None, 8)[8]),
            ("LIST -1 odd/files", bytes),
            ("NLST odd/files", lambda row: row.removeprefix(b"odd/files/")),
            ("NLST -S odd/files", lambda row: row.removeprefix(b"odd/files/")),
            ("NLST odd/fi*s/* *", lambda row: row.removeprefix(b"odd/files/")),
            ("STAT odd/files", lambda row: row.split(None, 8)[8]),
            ("STAT -1 odd/files", lambda row: row.split(None, 8)[8]),
        ):
            code, lines = listing(control, line)
            check(code in (226, 212), f"{line}: {code}")
            check(all(map(is_neutral, lines)), f"{line}: {lines}")
            expected = [name for name in want if b" " in name] if " *" in line else want
            equal(sorted(map(cut, lines)), expected, line)
        lines = control.lines("MLSD odd/files")
        check(all(map(is_neutral, lines)), f"MLSD: {lines}")
        equal(sorted(row.split(b"; ", 1)[1] for row in lines), sorted([*want, b".", b".."]), "MLSD")


@suite.case("HOSTILE 15: folders with such names, from inside, and no head that ends a reply")
def _(world):
    odd_folder(world.user, "heads")
    with unharmed(world) as control:
        for line, before in (
            ("LIST -R heads/folders", b"heads/folders/"),
            ("STAT -R heads/folders", b"/heads/folders/"),
        ):
            code, lines = listing(control, line)
            check(code in (226, 212), f"{line}: {code}")
            check(all(map(is_neutral, lines)), f"{line}: {lines}")
            heads = [row for row in lines if row.endswith(b":") and row.startswith(before)]
            equal(sorted(heads), sorted(before + seen + b":" for _, seen in NAMES), line)
            equal(sum(row.endswith(b" x") for row in lines), len(NAMES), f"{line}: entries")


@suite.case("HOSTILE 15: what a client or a link names is one neutral line in the log")
def _(world):
    user = world.user
    start = world.mark()
    user.folder("said")
    for count, (odd, _) in enumerate(NAMES):
        link = user.path(f"said/link{count}")
        os.symlink(odd, os.fsencode(link))
        user.own(link)
    with unharmed(world) as control:
        for count, (odd, _) in enumerate(NAMES):
            control.store(f"STOR said/link{count}", b"x")  # the log names where it went
            if b"\r" not in odd and b"\n" not in odd:
                for verb in (b"LIST ", b"NLST -R ", b"STAT "):
                    control.command(verb + b"none/" + odd, 425, 550)
    lines = [line for _, line in world.launched.lines[start:] if line[:1] == "{"]
    check(len(lines) > len(NAMES), "the log says nothing")
    for line in lines:
        json.loads(line)
        check(is_neutral(line.encode("utf-8", "surrogateescape")), f"the log: {line!r}")


if __name__ == "__main__":
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"  # ten thousand folders cost a disk seconds
    suite.main(server.quick)
