#!/usr/bin/python3 -B
"""Listings: LIST with its options and wildcards, NLST, MLSD, MLST and STAT of a folder.

Sources: RFC 959 §4.1.3, RFC 3659 §7; one physical line an entry, wildcards by a matcher that takes
linear time, no braces, no tilde, an error where there is nothing to list.
"""

import re

from harness import server
from harness.fixtures import small_tree
from harness.ftp import session
from harness.tap import Suite, check, equal

suite = Suite()


@suite.case("LIST: one line an entry, ls -l form, links shown")
def _(world):
    here = small_tree(world.user, "list")
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        lines = control.lines("LIST")
        form = rb"[-dl]([-r][-w][-x]){3} +\d+ +\S+ +\S+ +\d+ \w{3} [ \d]\d [ \d]\d[\d:]\d{2} \S.*"
        found = {}
        for line in lines:
            check(re.fullmatch(form, line), f"not of ls -l's form: {line}")
            found[line.split(None, 8)[8]] = line
        equal(sorted(found), [b"empty", b"file", b"full", b"link -> file", b"text"], "names")
        equal(found[b"file"].split()[4], b"10", "size")
        equal(found[b"full"][:1], b"d", "type")
        equal(control.lines("LIST empty"), [], "an empty folder")
        equal([line[-4:] for line in control.lines("LIST file")], [b"file"], "a file")


@suite.case("LIST understands -a and -l, takes -R, -t and -1, and what stands after --")
def _(world):
    here = small_tree(world.user, "options")
    user = world.user
    user.file(f"{here}/.dot")
    user.file(f"{here}/-dash", b"x")
    user.file(f"{here}/-folder/in", b"x")
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        for options in ("-a", "-la", "-al", "-l -a", "-a ."):
            names = [line.split()[-1] for line in control.lines(f"LIST {options}")]
            check(b".dot" in names, f"{options}: {names}")
        for options in ("-R", "-t", "-1"):
            names = [line.split()[-1] for line in control.lines(f"LIST {options}")]
            check(b"file" in names, f"{options}: {names}")
        for line in ("LIST -- -dash", "LIST ./-dash", "LIST -l -- -dash"):
            equal([row.split()[-1][-5:] for row in control.lines(line)], [b"-dash"], line)
        for line in ("LIST -- -folder", "LIST -l ./-folder"):
            equal([row.split()[-1] for row in control.lines(line)], [b"in"], line)
        check(b"-dash" in control.lines("NLST -1"), "NLST -1")


@suite.case("LIST and NLST match wildcards, and know no braces and no tilde")
def _(world):
    here = small_tree(world.user, "wild")
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        equal(sorted(control.lines("NLST f*e")), [b"file"], "f*e")
        equal(sorted(control.lines("NLST ?i*")), [b"file", b"link"], "?i*")
        for name in ("{file,text}", "~"):
            control.command("EPSV", 229)
            control.command(f"NLST {name}", 550, 450)
        world.user.file(f"{here}/" + "a" * 100)
        for pattern in ("nothing*", "*a" * 60 + "*b"):
            equal(control.lines(f"NLST {pattern}"), [], pattern)


@suite.case("NLST gives bare names that work as arguments")
def _(world):
    here = small_tree(world.user, "nlst")
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        equal(
            sorted(control.lines("NLST")), [b"empty", b"file", b"full", b"link", b"text"], "names"
        )
        for name in control.lines("NLST full"):
            control.command(b"SIZE " + name if b"/" in name else b"SIZE full/" + name, 213)
        equal(control.lines("NLST empty"), [], "an empty folder")


def facts(line):
    """A line of MLSD or MLST as ({fact: value}, name)."""
    check(b"; " in line, f"no facts: {line}")
    words, name = line.split(b"; ", 1)
    pairs = [word.partition(b"=") for word in words.strip().split(b";")]
    return {fact.lower(): value for fact, _, value in pairs}, name


@suite.case("MLSD and MLST give the facts, and OPTS MLST chooses among them")
def _(world):
    here = small_tree(world.user, "facts")
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        entries = {name: fact for fact, name in map(facts, control.lines("MLSD"))}
        equal(entries[b"file"][b"size"], b"10", "size")
        check(entries[b"file"][b"modify"].startswith(b"20010909014640"), f"{entries[b'file']}")
        equal(entries[b"file"][b"type"], b"file", "type")
        equal(entries[b"full"][b"type"], b"dir", "type")
        equal(len({fact[b"unique"] for fact in entries.values()}), len(entries), "unique")
        for name, want in ((b"file", b"adfrw"), (b"full", b"celmp")):
            missing = set(want) - set(entries[name][b"perm"])
            check(not missing, f"{name}: perm {entries[name][b'perm']} lacks {bytes(missing)}")
        answer = control.command("MLST file", 250)
        fact, name = facts(answer.lines[1])
        check(answer.lines[1][:1] == b" ", f"RFC 3659 §7.2: a blank before the facts: {answer}")
        equal((fact[b"size"], name), (b"10", f"/{here}/file".encode()), "MLST")
        control.command("OPTS MLST size;type;", 200)
        fact, _ = facts(control.command("MLST file", 250).lines[1])
        equal(sorted(fact), [b"size", b"type"], "chosen facts")
        fact, _ = facts(control.lines("MLSD")[0])
        check(set(fact) <= {b"size", b"type"}, f"chosen facts in MLSD: {fact}")


@suite.case("MLSD lists what lies there and nothing that it should not")
def _(world):
    here = small_tree(world.user, "mlsd")
    with session(world) as control:
        found = [
            (fact[b"type"].lower(), name)
            for fact, name in map(facts, control.lines(f"MLSD {here}"))
        ]
        names = sorted(name for kind, name in found if kind not in (b"cdir", b"pdir"))
        equal(names, [b"empty", b"file", b"full", b"link", b"text"], "names")


@suite.case("STAT of a folder lists it on the control connection")
def _(world):
    here = small_tree(world.user, "stat")
    with session(world) as control:
        lines = control.command(f"STAT {here}", 212, 213).lines[1:-1]
        names = sorted(line.split(None, 8)[-1] for line in lines if line.strip()[:1] in b"-dl")
        equal(names, [b"empty", b"file", b"full", b"link -> file", b"text"], "names")


if __name__ == "__main__":
    suite.main(server.quick)
