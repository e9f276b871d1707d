#!/usr/bin/python3 -B
"""Listings: LIST with its options and wildcards, NLST, MLSD, MLST and STAT of a folder.

Sources: RFC 959 §4.1.3, RFC 3659 §7; one physical line an entry, wildcards by a matcher that takes
linear time, no braces, no tilde, an error where there is nothing to list.
"""

import os
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


@suite.case("list_owners: the user's number or name, as configured")
def _(_world):
    users = (("ada", None, ""), ("bob", None, "list_owners=names"))
    with server.configured(users, server.SHA512_1000) as world:
        for user in world.users:
            group = os.stat(user.file("file")).st_gid
            wanted = [b"bob"] * 2 if user.name == "bob" else [b"%d" % user.uid, b"%d" % group]
            with session(world, user) as control:
                (line,) = control.lines("LIST")
                equal(line.split()[2:4], wanted, f"owner and group for {user.name}")


@suite.case("a folder that may not be read is an error, not an empty listing")
def _(world):
    folder = world.user.folder("unreadable")
    folder.chmod(0o300)
    with session(world) as control:
        for line in ("LIST unreadable", "NLST unreadable", "MLSD unreadable", "STAT unreadable"):
            with control.data():
                control.command(line, 550)
        control.command("CWD unreadable", 250)
        for line in ("LIST", "NLST", "MLSD", "LIST -R"):
            with control.data():
                control.command(line, 550)
    folder.chmod(0o755)


def names(lines):
    """The last columns of lines of LIST."""
    return [line.split(None, 8)[-1] for line in lines]


@suite.case("LIST understands -a, -A, -l and -1, in one word or several, and what stands after --")
def _(world):
    here = small_tree(world.user, "options")
    user = world.user
    user.file(f"{here}/.dot")
    user.file(f"{here}/-dash", b"x")
    user.file(f"{here}/-folder/in", b"x")
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        for options in ("-a", "-la", "-al", "-l -a", "-a .", "-A", "-Ah --"):
            found = names(control.lines(f"LIST {options}"))
            check(b".dot" in found, f"{options}: {found}")
            equal(b".." in found, "a" in options, f"{options}: ..")
        check(b".dot" not in names(control.lines("LIST -l")), "-l")
        for line in ("LIST -- -dash", "LIST ./-dash", "LIST -l -- -dash"):
            equal([row.split()[-1][-5:] for row in control.lines(line)], [b"-dash"], line)
        for line in ("LIST -- -folder", "LIST -l ./-folder"):
            equal(names(control.lines(line)), [b"in"], line)
        check(b"-dash" in control.lines("NLST -1"), "NLST -1")
        equal(control.lines("LIST -1 full"), [b"inner"], "LIST -1")
        equal(names(control.lines("NLST -l full")), [b"inner"], "NLST -l")


@suite.case("LIST -d, -F and -L: a folder itself, marks, what links lead to")
def _(world):
    here = small_tree(world.user, "itself")
    world.user.file(f"{here}/program", b"x", 0o755)
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        (line,) = control.lines("LIST -d full")
        equal((line[:1], names([line])), (b"d", [b"full"]), "-d")
        equal(control.lines("NLST -d full"), [b"full"], "NLST -d")
        marked = [b"empty/", b"file", b"full/", b"link@", b"program*", b"text"]
        equal(control.lines("NLST -F"), marked, "NLST -F")
        equal(names(control.lines("LIST -F"))[3], b"link -> file", "LIST -F")
        (line,) = control.lines("LIST -L l*")
        equal((line[:1], line.split()[4], names([line])), (b"-", b"10", [b"link"]), "-L")


@suite.case("names come sorted; -r, -t and -S choose another order")
def _(world):
    here = world.user.folder("order").name
    for place, name in enumerate(("b", "a", "ab", "B")):
        os.utime(world.user.file(f"{here}/{name}", b"x" * (place % 3)), (place, place))
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        for options, want in (
            ("", "B a ab b"),
            ("-r", "b ab a B"),
            ("-t", "B ab a b"),
            ("-tr", "b a ab B"),
            ("-S", "ab a B b"),
            ("-S -r", "b B a ab"),
        ):
            equal(b" ".join(control.lines(f"NLST {options}")), want.encode(), f"NLST {options}")
            found = b" ".join(names(control.lines(f"LIST {options}")))
            equal(found, want.encode(), f"LIST {options}")
        equal(sorted(control.lines("NLST -U")), [b"B", b"a", b"ab", b"b"], "-U")


@suite.case("-R lists what is below, by folder or by path, and never through a link")
def _(world):
    here = small_tree(world.user, "below")
    user = world.user
    user.file(f"{here}/full/deeper/deepest", b"x")
    os.symlink("..", user.path(f"{here}/full/up"))
    with session(world) as control:
        control.command(f"CWD {here}", 250)
        heads = [line for line in control.lines("LIST -R") if line[-1:] == b":" or not line]
        want = [b".:", b"", b"./empty:", b"", b"./full:", b"", b"./full/deeper:"]
        equal(heads, want, "heads")
        equal(control.lines("LIST -R full")[0], b"full:", "the folder's own head")
        paths = b"empty file full link text full/deeper full/inner full/up full/deeper/deepest"
        equal(control.lines("NLST -R"), paths.split(), "NLST -R")
        want = [b"full/deeper", b"full/inner", b"full/up", b"full/deeper/deepest"]
        equal(control.lines("NLST -R full"), want, "NLST -R of a folder")
        lines = control.command("STAT -R full", 212).lines
        check(b"/below/full/deeper:" in lines, f"STAT -R: {lines}")


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


@suite.case("wildcards in the middle of a path, a bounded number of levels, no dots behind them")
def _(world):
    here = small_tree(world.user, "levels")
    world.user.file(f"{here}/other/inner")
    world.user.file(f"{here}/[1] odd")
    with session(world) as control:
        equal(control.lines(f"NLST {here}/*/in*"), [b"levels/full/inner", b"levels/other/inner"])
        control.command(f"CWD {here}", 250)
        equal(control.lines("NLST */inner"), [b"full/inner", b"other/inner"], "a name below")
        equal(control.lines("NLST f*/inner"), [b"full/inner"], "a pattern above")
        equal(names(control.lines("LIST o*/*")), [b"other/inner"], "LIST")
        equal(control.lines("NLST [1]*"), [], "a set")
        equal(control.lines("NLST [1] odd"), [b"[1] odd"], "a name that looks like a pattern")
        for line in ("LIST */..", "NLST -R */../*/..", "STAT */./x"):
            control.command(line, 501)
        control.command("LIST " + "*/" * 12, 550)


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
        inside = sorted(name for kind, name in found if kind not in (b"cdir", b"pdir"))
        equal(inside, [b"empty", b"file", b"full", b"link", b"text"], "names")


@suite.case("STAT of a folder lists it on the control connection")
def _(world):
    here = small_tree(world.user, "stat")
    with session(world) as control:
        lines = control.command(f"STAT {here}", 212, 213).lines[1:-1]
        found = sorted(names(line for line in lines if line.strip()[:1] in b"-dl"))
        equal(found, [b"empty", b"file", b"full", b"link -> file", b"text"], "names")


if __name__ == "__main__":
    suite.main(server.quick)
