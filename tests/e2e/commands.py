#!/usr/bin/python3 -B
"""Each command with good and bad arguments, and the exact codes of its replies.

The dialogues are written down in commands.txt; each of them is a case.  What such lines cannot say
follows them here.
"""

import pathlib
import re

from harness import server
from harness.fixtures import small_tree
from harness.ftp import Control, session
from harness.tap import Suite, check

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


@suite.case("FEAT names what is there, and everything that it names works")
def _(world):
    world.user.file("feat", b"x")
    trials = {
        b"EPSV": ("EPSV", 229),
        b"EPRT": ("EPRT |1|127.0.0.1|51200|", 200),
        b"MDTM": ("MDTM feat", 213),
        b"SIZE": ("SIZE feat", 213),
        b"REST": ("REST 1", 350),
        b"MLST": ("MLST feat", 250),
        b"UTF8": ("OPTS UTF8 ON", 200),
        b"TVFS": ("CWD /", 250),
    }
    with session(world) as control:
        features = [line.strip() for line in control.command("FEAT", 211).lines[1:-1]]
        words = {feature.split()[0] for feature in features}
        check(b"REST STREAM" in features, f"REST STREAM in {features}")
        for word, (line, code) in trials.items():
            check(word in words, f"{word} in {words}")
            control.command(line, code)
        for word in words - set(trials):
            answer = control.command(word)
            check(answer.code not in (500, 502), f"FEAT names {word}, which answers {answer}")
        check(b"MFCT" not in words and b"AUTH" not in words, f"{words}")


@suite.case("HELP lists no command that is not offered")
def _(world):
    with session(world) as control:
        answer = control.command("HELP", 214)
        verbs = set(re.findall(rb"\b[A-Z]{3,5}\b", b" ".join(answer.lines[1:-1])))
        check({b"USER", b"RETR", b"MLSD", b"XCUP"} <= verbs, f"{verbs}")
        for verb in verbs - {b"QUIT", b"REIN", b"PASV", b"EPSV"}:
            code = control.command(verb).code
            check(code not in (500, 502), f"HELP lists {verb}, which answers {code}")
            if code in (350, 331):
                control.command("NOOP", 200)


if __name__ == "__main__":
    suite.main(server.quick)
