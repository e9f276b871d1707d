#!/usr/bin/python3 -B
"""Each command with good and bad arguments, and the exact codes of its replies.

The dialogues are written down in commands.txt; each of them is a case.  What such lines cannot say
follows them here.
"""

import contextlib
import pathlib
import re

from harness import server
from harness.fixtures import small_tree
from harness.ftp import Control, session
from harness.rows import site_verbs, verbs
from harness.tap import Suite, check, equal

suite = Suite()


def read_dialogues():
    """[(name, [(line, codes, pattern)])] of commands.txt."""
    found = []
    for row in pathlib.Path(__file__).with_suffix(".txt").read_text().splitlines():
        if row.startswith("-- "):
            found.append((row[3:], []))
        elif row and not row.startswith("#"):
            line, _, wanted = row.rpartition(" => ")
            codes, _, pattern = wanted.partition(" ")
            found[-1][1].append((line, [int(code) for code in codes.split("|")], pattern))
    return found


@suite.table(list(enumerate(read_dialogues())), lambda row: row[1][0])
def _(world, row):
    number, (_, steps) = row
    names = {"here": f"case{number}", "name255": "n" * 255, "name256": "n" * 256}
    small_tree(world.user, names["here"])
    with session(world) as control:
        control.command(f"CWD /{names['here']}", 250)
        for line, codes, pattern in steps:
            answer = control.command(line.format(**names), *codes)
            said = answer.lines[0].decode(errors="replace")
            check(re.search(pattern, said), f"{line}: {said!r} does not match {pattern!r}")


@suite.case("a command that takes no argument is as good in small letters, with a blank after it")
def _(world):
    with session(world) as control:
        for line in ("noop ", "pwd", "syst ", "Feat"):
            check(control.command(line).code < 300, line)


@suite.case("a login with the wrong password is 530, and the right one still works")
def _(world):
    with Control(world.address) as control:
        control.reply(220)
        control.command(f"USER {world.user.name}", 331)
        control.command("PASS wrong", 530)
        control.command("PWD", 530)
        control.command(f"USER {world.user.name}", 331)
        control.command(f"PASS {world.user.password}", 230)


def commands(*steps):
    """A check by these lines and codes, in order."""

    def run(control):
        for line, *codes in steps:
            control.command(line, *codes)

    return run


def checksum(verb, code=250):
    return commands((f'{verb} "feat"', code))


def hash_names(control):
    names = re.search(rb"HASH (\S+)", b" ".join(control.command("FEAT", 211).lines))[1]
    for name in names.replace(b"*", b"").split(b";"):
        control.command(b"OPTS HASH " + name, 200)
        said = control.command("HASH feat", 213).text
        check(said.startswith(name + b" 0-0 "), f"{said}")


def facts(control):
    line = re.search(rb"MLST (\S+)", b" ".join(control.command("FEAT", 211).lines))[1]
    names = line.replace(b"*", b"")
    control.command(b"OPTS MLST " + names, 200)
    said = control.command("MLST feat", 250).lines[1]
    for name in names.lower().split(b";")[:-1]:
        check(name + b"=" in said.lower() or name == b"create", f"{name} in {said}")


def copied(control):
    control.command("SITE CPFR feat", 350)
    control.command("SITE CPTO feat2", 250)
    control.command("DELE feat2", 250)


def combined(control):
    control.store("STOR feat2", b"y")
    control.command('COMB "feat" "feat2"', 250)
    check(control.fetch("RETR feat") == b"xy", "what COMB made")
    control.command("SIZE feat2", 550)


def whoami(control):
    lines = control.command("SITE WHO", 200).lines
    check(any(line.endswith(b", this one") for line in lines), f"{lines}")


# Each line of FEAT, or its first word: what shows that it works. The file "feat" has one byte, the
# folder "features" is empty.
FEATURES = {
    "AVBL": commands(("AVBL", 213)),
    "CLNT": commands(("CLNT test", 200)),
    "COMB": combined,
    "CSID": commands(("CSID Name=test; Version=1;", 200)),
    "EPSV": commands(("EPSV", 229)),
    "EPRT": commands(("EPRT |1|127.0.0.1|51200|", 200)),
    "HASH": hash_names,
    "HOST": commands(("REIN", 220), ("HOST host.example", 220)),
    "LANG": commands(("LANG EN", 200)),
    "MD5": checksum("MD5", 251),
    "MDTM": commands(("MDTM feat", 213)),
    "MFF": commands(("MFF Modify=20010909014640;UNIX.mode=0640; feat", 213), ("MDTM feat", 213)),
    "MFMT": commands(("MFMT 20010909014640 feat", 213), ("MDTM feat", 213)),
    "MLST": facts,
    "MODE": commands(("MODE Z", 200), ("MODE S", 200)),
    "RANG STREAM": commands(("RANG 0 0", 350), ("HASH feat", 213)),
    "REST STREAM": commands(("REST 1", 350)),
    "RMDA": commands(("RMDA features", 250), ("CWD features", 550)),
    "SITE CHMOD": commands(("SITE CHMOD 640 feat", 200)),
    "SITE COPY": commands(("SITE COPY feat feat2", 250), ("DELE feat2", 250)),
    "SITE CPFR": copied,
    "SITE CPTO": copied,
    "SITE IDLE": commands(("SITE IDLE 60", 200)),
    "SITE MKDIR": commands(("SITE MKDIR features/a/b", 257), ("CWD features/a/b", 250)),
    "SITE QUOTA": commands(("SITE QUOTA", 200)),
    "SITE RMDIR": commands(("SITE RMDIR features", 250), ("CWD features", 550)),
    "SITE SYMLINK": commands(("SITE SYMLINK feat featlink", 200), ("SIZE featlink", 213)),
    "SITE UMASK": commands(("SITE UMASK 077", 200), ("SITE UMASK", 200)),
    "SITE UTIME": commands(("SITE UTIME 20010909014640 feat", 200)),
    "SITE WHO": whoami,
    "SIZE": commands(("SIZE feat", 213)),
    "TVFS": commands(("CWD /", 250), ("MLST ./../feat", 250)),
    "UTF8": commands(("OPTS UTF8 ON", 200)),
    "XCRC": checksum("XCRC"),
    "XMD5": checksum("XMD5"),
    "XSHA": checksum("XSHA"),
    "XSHA1": checksum("XSHA1"),
    "XSHA256": checksum("XSHA256"),
    "XSHA512": checksum("XSHA512"),
}


def feature_of(line):
    """The row of FEATURES that a line of FEAT belongs to: its own, or that of its first word."""
    return line if line in FEATURES else line.split()[0]


@suite.case("FEAT: every line has a check here, and every check a line")
def _(world):
    with session(world) as control:
        lines = [line.decode() for line in control.command("FEAT", 211).lines[1:-1]]
    for line in lines:
        check(line.startswith(" ") and not line.startswith("  "), f"one blank first: {line!r}")
    found = [feature_of(line.strip()) for line in lines]
    equal(sorted(found), sorted(FEATURES), "features")


# What quick mode does not have.
WORLDS = {
    "HOST": lambda: server.configured(hosts=(server.Host("host.example"),)),
    "SITE SYMLINK": lambda: server.configured((("demo", None, "/=all+symlink"),)),
}


@suite.table(list(FEATURES), lambda name: f"FEAT: {name} works")
def _(shared, name):
    own = WORLDS.get(name, lambda: contextlib.nullcontext(shared))
    with own() as world:
        world.user.file("feat", b"x")
        world.user.folder("features")
        with session(world) as control:
            FEATURES[name](control)


@suite.case("HELP lists no command that is not offered")
def _(world):
    with session(world) as control:
        answer = control.command("HELP", 214)
        verbs = set(re.findall(rb"\b[A-Z0-9]{3,7}\b", b" ".join(answer.lines[1:-1])))
        check({b"USER", b"RETR", b"MLSD", b"XCUP"} <= verbs, f"{verbs}")
        for verb in verbs - {b"QUIT", b"REIN", b"PASV", b"EPSV"}:
            code = control.command(verb).code
            check(code not in (500, 502), f"HELP lists {verb}, which answers {code}")
            if code in (350, 331):
                control.command("NOOP", 200)


HERE = pathlib.Path(__file__).resolve().parent


def covered():
    """[(verb, where it is asked)] of the table in README.md."""
    table = re.findall(r"^\| ([A-Z][A-Z0-9, ]*) \| ([^|]+) \|$", (HERE / "README.md").read_text(), re.M)
    return [(verb, where.split(", ")) for names, where in table for verb in names.split(", ")]


@suite.case("README.md names for each command the programs that ask it, and they do")
def _(_world):
    equal(sorted(verb for verb, _ in covered()), sorted(verbs("COMMAND") + site_verbs()), "commands")
    for verb, where in covered():
        for name in where:
            path = HERE / (name if name.endswith(".txt") else f"{name}.py")
            check(re.search(rf"\b{verb}\b", path.read_text()), f"{path.name} has no {verb}")


@suite.case("sallyport-ftp(7) names each command")
def _(_world):
    page = (HERE.parents[1] / "packaging" / "man" / "sallyport-ftp.7").read_text()
    for verb in verbs("COMMAND") + site_verbs():
        check(re.search(rf"(?<![A-Z]){verb}\b", page), f"{verb} is not there")


@suite.table(verbs("MISSING"), lambda verb: f"{verb} is known and not offered: 502")
def _(world, verb):
    with session(world) as control:
        for line in (verb, f"{verb} x", verb.lower()):
            control.command(line, 502)
        control.command("NOOP", 200)


@suite.table(verbs("FOREIGN"), lambda verb: f"HOSTILE 5: {verb} is of another protocol: 421, and the end")
def _(world, verb):
    with Control(world.address) as control:
        control.reply(220)
        control.send(f"{verb} x\r\nNOOP\r\n")
        control.reply(421)
        control.expect_end()


if __name__ == "__main__":
    suite.main(server.quick)
