#!/usr/bin/python3 -B
"""Names: a thousand odd ones through every command, the longest, and those that lead elsewhere.

Sources: RFC 959 §5.3.2, RFC 2640, RFC 3659 §2; PATHIO.md §5: what was judged is what is opened.
"""

import os

from harness import server
from harness.fixtures import odd_names
from harness.ftp import session, telnet
from harness.tap import Suite, check, equal

suite = Suite()

SPEAKABLE = [name.encode() for name in odd_names(990)]
SPEAKABLE += [b"bytes \xe4\xf6 %d" % n for n in range(5)]  # no UTF-8
NAMES = SPEAKABLE + [b"control \x01\x1b[0m\x7f %d" % n for n in range(5)]  # shown in some other way
UNSPEAKABLE = [b"new\nline", b"carriage\rreturn", b"both\r\n250 ok", b"\n", b"\r\n"]


def content(name):
    return b"content of " + name


def fill(user, folder, names):
    user.folder(folder)
    for name in names:
        user.file(os.path.join(folder, os.fsdecode(name)), content(name))


def differences(got, want):
    equal(
        (sorted(set(got) - set(want))[:5], sorted(set(want) - set(got))[:5]),
        ([], []),
        "differences",
    )
    equal(len(got), len(want), "count")


def fact_names(lines):
    return [line.split(b"; ", 1)[1] for line in lines if b"type=file" in line.lower()]


@suite.case("1,000 odd names: STOR makes exactly these")
def _(world):
    with session(world) as control:
        control.command("MKD stored", 257)
        control.command("CWD stored", 250)
        for name in NAMES:
            control.store(b"STOR " + telnet(name), content(name))
    differences(world.user.names("stored"), NAMES)
    for name in NAMES:
        equal(world.user.path(b"stored/" + name).read_bytes(), content(name))


@suite.case("1,000 odd names: MLSD gives their very bytes")
def _(world):
    fill(world.user, "listed", NAMES)
    with session(world) as control:
        found = fact_names(control.fetch("MLSD listed").split(b"\r\n"))
        differences([name for name in found if b"control" not in name], SPEAKABLE)
        equal(len(found), len(NAMES), "count")


@suite.case("1,000 odd names: NLST and LIST give one line each")
def _(world):
    fill(world.user, "lines", NAMES)
    visible = [name for name in NAMES if not name.startswith(b".")]
    with session(world) as control:
        every = [line for line in control.lines("NLST -a lines") if line not in (b".", b"..")]
        equal(len(every), len(NAMES), "NLST -a")
        for command in ("NLST lines", "LIST lines"):
            count = len(control.lines(command))
            check(count in (len(NAMES), len(visible)), f"{command}: {count} lines")


@suite.case("1,000 odd names: RETR, SIZE, MLST and CWD find each")
def _(world):
    fill(world.user, "found", NAMES)
    with session(world) as control:
        control.command("CWD found", 250)
        for name in NAMES:
            spoken = telnet(name)
            equal(control.fetch(b"RETR " + spoken), content(name), f"{name}")
            equal(control.command(b"SIZE " + spoken, 213).text, b"%d" % len(content(name)))
            check(len(control.command(b"MLST " + spoken, 250).lines) == 3, f"MLST {name}")
            control.command(b"CWD " + spoken, 550)


@suite.case("1,000 odd names: as folders")
def _(world):
    world.user.folder("folders")
    with session(world) as control:
        for name in NAMES:
            control.command("CWD /folders", 250)
            control.command(b"MKD " + telnet(name), 257)
            control.command(b"CWD " + telnet(name), 250)
            control.command("PWD", 257)
        differences(world.user.names("folders"), NAMES)
        for name in NAMES:
            control.command(b"RMD /folders/" + telnet(name), 250)
    equal(world.user.names("folders"), [], "names left")


@suite.case("1,000 odd names: RNFR and RNTO, DELE")
def _(world):
    fill(world.user, "moved", NAMES)
    with session(world) as control:
        control.command("CWD moved", 250)
        for name in NAMES:
            control.command(b"RNFR " + telnet(name), 350)
            control.command("RNTO ../moved/in between", 250)
            control.command("RNFR in between", 350)
            control.command(b"RNTO " + telnet(name), 250)
        differences(world.user.names("moved"), NAMES)
        for name in NAMES:
            control.command(b"DELE " + telnet(name), 250)
    equal(world.user.names("moved"), [], "names left")


@suite.case("names with line ends: one line an entry, in each kind of listing")
def _(world):
    fill(world.user, "broken", UNSPEAKABLE)
    with session(world) as control:
        for command in ("LIST broken", "NLST broken", "MLSD broken"):
            lines = [line for line in control.lines(command) if b"type=cdir" not in line.lower()]
            lines = [line for line in lines if b"type=pdir" not in line.lower()]
            equal(len(lines), len(UNSPEAKABLE), command)


@suite.case("names with escape sequences do not reach LIST's reader raw")
def _(world):
    fill(world.user, "escape", [b"red \x1b[31m", b"bell \x07"])
    with session(world) as control:
        for line in control.lines("LIST escape") + control.command("STAT escape", 212, 213).lines:
            check(not any(byte < 32 for byte in line), f"{line}")


@suite.table((254, 255, 256, 257), lambda length: f"a name of {length} bytes")
def _(world, length):
    name = "n" * length
    with session(world) as control:
        if length <= 255:
            control.store(f"STOR {name}", b"x")
            equal(control.command(f"SIZE {name}", 213).text, b"1", "SIZE")
            control.command(f"DELE {name}", 250)
        else:
            control.command("EPSV", 229)
            control.command(f"STOR {name}", 553)
            control.command(f"SIZE {name}", 550, 553)


@suite.table((4094, 4095, 4096, 4097), lambda length: f"a path of {length} bytes")
def _(world, length):
    path = ("/" + "p" * 250) * 17
    path = path[: length - 2] + "/x"
    world.user.folder("deep")
    with session(world) as control:
        for part in path.split("/")[1:-1]:
            control.command(f"MKD {part}", 257, 550)
            control.command(f"CWD {part}", 250)
        control.command("PWD", 257)
        code = control.command(f"SIZE {path}").code
        wanted = (550,) if length <= 4095 else (550, 553, 501)
        check(code in wanted, f"SIZE of a path of {length} bytes: {code}")
        control.command("CWD /", 250)


@suite.table(
    (
        "place//file",
        "./place/file",
        "place/./file",
        "place/../place/file",
        "/place/file",
        "//place/file",
    ),
    lambda form: f"{form} is /place/file",
)
def _(world, form):
    fill(world.user, "place", [b"file"])
    with session(world) as control:
        equal(control.fetch(f"RETR {form}"), content(b"file"))
        said = control.command(f"MLST {form}", 250).lines[1]
        check(said.endswith(b"; /place/file"), f"{said}")


@suite.case("%2e%2e, overlong UTF-8 and other spellings of .. are just names")
def _(world):
    world.user.folder("up")
    with session(world) as control:
        control.command("CWD up", 250)
        for name in (
            b"%2e%2e",
            b"\xc0\xae\xc0\xae",
            b".. ",
            b". .",
            b"..\\",
            b"\xe2\x80\xa4\xe2\x80\xa4",
        ):
            control.command(b"CWD " + name, 550)
            control.command(b"MKD " + name, 257)
        equal(len(world.user.names("up")), 6, "names")


# Ways out

VERBS = "CWD RETR SIZE MDTM DELE RMD RNFR MLST MLSD LIST NLST STAT MKD STOR APPE".split()
WAYS_OUT = ["../outside/{}", "/../outside/{}", "a/../../outside/{}", "abs/{}", "rel/{}", "filelink"]


@suite.table(VERBS, lambda verb: f"{verb} finds no way out of the root")
def _(world, verb):
    outside = world.user.home.parent / "outside"
    with session(world) as control:
        if not outside.exists():
            outside.mkdir(mode=0o777)
            outside.chmod(0o777)
            for name in ("file", "full"):
                (outside / name).write_bytes(b"canary")
                (outside / name).chmod(0o666)
            world.user.folder("a")
            os.symlink(outside, world.user.path("abs"))
            os.symlink("../outside", world.user.path("rel"))
            os.symlink("../outside/file", world.user.path("filelink"))
        for way in WAYS_OUT:
            target = way.format("new" if verb in ("MKD", "STOR", "APPE") else "file")
            if way == "filelink" and verb in (
                "DELE",
                "RNFR",
                "MLST",
                "MKD",
                "LIST",
                "NLST",
                "STAT",
            ):
                continue  # what concerns the link itself
            control.command("EPSV", 229)
            control.command(f"{verb} {target}", 550, 553, 450)
    equal(sorted(os.listdir(outside)), ["file", "full"], "outside")
    equal((outside / "file").read_bytes(), b"canary", "outside")


@suite.case("RNTO finds no way out of the root")
def _(world):
    fill(world.user, ".", [b"mine"])
    with session(world) as control:
        for way in ("../taken", "/../taken", "a/../../taken"):
            control.command("RNFR mine", 350)
            control.command(f"RNTO {way}", 250)
            control.command("RNFR /taken", 350)
            control.command("RNTO /mine", 250)
        os.symlink(world.user.home.parent, world.user.path("away"))
        control.command("RNFR mine", 350)
        control.command("RNTO away/taken", 550, 553)
    check(not (world.user.home.parent / "taken").exists(), "it left the root")


if __name__ == "__main__":
    suite.main(server.quick)
