#!/usr/bin/python3 -B
"""Every verb that touches a path, where it may not: HOSTILE 17 (side verbs that skip policy) and 20
(ways out of the root).

One table of verbs; what it lacks of HELP and SITE HELP fails a case.  The users: one who may read and
list, one for whom a folder is closed.  Whatever is refused has changed nothing.
"""

import collections
import contextlib
import os
import re

from harness import server
from harness.ftp import session
from harness.tap import Suite, check, equal

suite = Suite()

REFUSED = (550, 553)
MOMENT = "20010909014640"
# Not the folder itself: LIST of the root shows that it is there.
CLOSED = (
    "closed/there",
    "closed/none",
    "closed/folder",
    "closed/folder/inner",
    "closed/there/below",
    "closed/none/below",
    "closed/../closed/./there",
    "//closed//none",
)
HIDDEN = ".sallyport-0123456789abcdef.part"

# How a verb is said of a path; what is said before; what it wants of the path: "read" what is there,
# or "write" it.  A transfer has a data connection set up, and is refused before it is used.
Verb = collections.namedtuple("Verb", "name line wants before transfer", defaults=((), False))

VERBS = [
    Verb("APPE", "APPE {}", "write", transfer=True),
    Verb("AVBL", "AVBL {}", "read"),
    Verb("COMB", 'COMB "{}" "part"', "write"),
    Verb("COMB", 'COMB "part" "{}"', "write"),
    Verb("CWD", "CWD {}", "read"),
    Verb("DELE", "DELE {}", "write"),
    Verb("HASH", "HASH {}", "read"),
    Verb("LIST", "LIST {}", "read", transfer=True),
    Verb("MD5", "MD5 {}", "read"),
    Verb("MDTM", "MDTM {}", "read"),
    Verb("MDTM", f"MDTM {MOMENT} {{}}", "write"),
    Verb("MFF", f"MFF Modify={MOMENT};UNIX.mode=0600; {{}}", "write"),
    Verb("MFF", "MFF UNIX.mode=0777; {}", "write"),
    Verb("MFMT", f"MFMT {MOMENT} {{}}", "write"),
    Verb("MKD", "MKD {}", "write"),
    Verb("MLSD", "MLSD {}", "read", transfer=True),
    Verb("MLST", "MLST {}", "read"),
    Verb("NLST", "NLST {}", "read", transfer=True),
    Verb("RETR", "RETR {}", "read", transfer=True),
    Verb("RMD", "RMD {}", "write"),
    Verb("RMDA", "RMDA {}", "write"),
    Verb("RNFR", "RNTO moved", "write", before=("RNFR {}",)),
    Verb("RNTO", "RNTO {}", "write", before=("RNFR part",)),
    Verb("SITE CHMOD", "SITE CHMOD 777 {}", "write"),
    Verb("SITE COPY", 'SITE COPY part "{}"', "write"),
    Verb("SITE COPY", 'SITE COPY "{}" copied', "write"),
    Verb("SITE CPFR", "SITE CPTO copied", "write", before=("SITE CPFR {}",)),
    Verb("SITE CPTO", "SITE CPTO {}", "write", before=("SITE CPFR part",)),
    Verb("SITE MKDIR", "SITE MKDIR {}", "write"),
    Verb("SITE MKDIR", "SITE MKDIR {}/a/b", "write"),
    Verb("SITE RMDIR", "SITE RMDIR {}", "write"),
    Verb("SITE SYMLINK", 'SITE SYMLINK part "{}"', "write"),
    Verb("SITE UTIME", f"SITE UTIME {MOMENT} {{}}", "write"),
    Verb("SITE UTIME", f"SITE UTIME {{}} {MOMENT} {MOMENT} {MOMENT} UTC", "write"),
    Verb("SIZE", "SIZE {}", "read"),
    Verb("STAT", "STAT {}", "read"),
    Verb("STOR", "STOR {}", "write", transfer=True),
    Verb("STOU", "STOU {}", "write", transfer=True),
    Verb("XCRC", 'XCRC "{}"', "read"),
    Verb("XCRC", "XCRC {} 0 1", "read"),
    Verb("XCWD", "XCWD {}", "read"),
    Verb("XMD5", 'XMD5 "{}" 0 1', "read"),
    Verb("XMKD", "XMKD {}", "write"),
    Verb("XRMD", "XRMD {}", "write"),
    Verb("XSHA", "XSHA {}", "read"),
    Verb("XSHA1", "XSHA1 {}", "read"),
    Verb("XSHA256", "XSHA256 {}", "read"),
    Verb("XSHA512", "XSHA512 {}", "read"),
]

# Those that are about no path, or only about the folder that the session is in.
PATHLESS = set(
    "ABOR ACCT ALLO AUTH CDUP CLNT CSID EPRT EPSV FEAT HELP HOST LANG MODE NOOP OPTS PASS PASV PORT "
    "PBSZ PROT CCC PWD QUIT RANG REIN REST SITE STRU SYST TYPE USER XCUP XPWD".split()
)
PATHLESS |= {f"SITE {verb}" for verb in "HELP IDLE QUOTA UMASK WHO".split()}


def named(verb):
    return ", ".join((*verb.before, verb.line))


class Scene:
    """The users, each with a session that all cases share: logins would cost more than the rest."""

    def __init__(self, world, reading, closed):
        self.reader, self.shut = world.users
        self.reading, self.closed = reading, closed


@contextlib.contextmanager
def scene():
    with server.configured(
        (("reader", None, "/=read+list"), ("shut", None, "/=all /closed=none")),
        setting=server.SHA512_1000,
    ) as world:
        reader, shut = world.users
        with session(world, reader) as reading, session(world, shut) as closed:
            yield Scene(world, reading, closed)


def fill(user):
    """The same files each time, whatever was done to them."""
    for name in (b"moved", b"copied"):
        if name in user.names():
            os.unlink(user.path(name))
    for name in ("file", "part", "closed/there", "closed/folder/inner", "folder/inner"):
        if not user.path(name).exists():
            user.file(name, b"of " + name.encode())


def picture(folder):
    """What is in a folder: names, modes, times, contents."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(top, name)
            state = os.lstat(path)
            content = b""
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[path] = (state.st_mode, state.st_size, state.st_mtime_ns, content)
    return found


def make_outside(user):
    """A folder beside a home that anybody may write to, and links to it inside."""
    outside = user.home.parent / "outside"
    if not outside.exists():
        outside.mkdir()
        outside.chmod(0o777)
        (outside / "file").write_bytes(b"canary")
        (outside / "file").chmod(0o666)
        os.symlink(outside, user.path("absolute"))
        os.symlink("../outside", user.path("relative"))
    return outside


def say(control, verb, path):
    """The last reply of a verb about a path."""
    if verb.transfer:
        control.command("EPSV", 229)
    for line in verb.before:
        answer = control.command(line.format(path))
        if answer.code != 350:
            return answer
    return control.command(verb.line.format(path))


@suite.case("every verb of HELP and SITE HELP is in the table, or about no path")
def _(scene):
    help_lines = b" ".join(scene.closed.command("HELP", 214).lines[1:-1])
    site_lines = scene.closed.command("SITE HELP", 214).lines[1:-1]
    verbs = {verb.decode() for verb in re.findall(rb"\b[A-Z0-9]{3,7}\b", help_lines)}
    verbs |= {" ".join(line.decode().strip(" :").split(" ")[:2]).strip(":") for line in site_lines}
    equal(sorted(verbs - PATHLESS - {verb.name for verb in VERBS}), [], "verbs nobody tries")
    equal(sorted({verb.name for verb in VERBS} - verbs), [], "verbs that are not there")


@suite.table(
    [verb for verb in VERBS if verb.wants == "write"],
    lambda verb: f"HOSTILE 17: who may only read: {named(verb)} is refused and changes nothing",
)
def _(scene, verb):
    fill(scene.reader)
    before = picture(scene.reader.home)
    for path in ("file", "folder", "new", "folder/new", "none/new"):
        code = say(scene.reading, verb, path).code
        check(code in REFUSED, f"{verb.line.format(path)}: {code}")
    equal(picture(scene.reader.home), before, "the files")


@suite.table(
    VERBS, lambda verb: f"HOSTILE 17: in a closed folder, {named(verb)} says the same of all paths"
)
def _(scene, verb):
    fill(scene.shut)
    before = picture(scene.shut.home)
    answers = {path: say(scene.closed, verb, path).lines for path in CLOSED}
    equal(picture(scene.shut.home), before, "the files")
    codes = {int(lines[0][:3]) for lines in answers.values()}
    check(codes <= set(REFUSED), f"{answers}")
    equal(len(set(map(tuple, answers.values()))), 1, f"different answers among {answers}")


@suite.table(
    VERBS, lambda verb: f"HOSTILE 17: the names of unfinished uploads are refused: {named(verb)}"
)
def _(scene, verb):
    fill(scene.shut)
    scene.shut.file(HIDDEN, b"not yet")
    before = picture(scene.shut.home)
    for path in (HIDDEN, HIDDEN.upper(), f"folder/{HIDDEN}", f"{HIDDEN}/below"):
        code = say(scene.closed, verb, path).code
        check(code in REFUSED, f"{verb.line.format(path)}: {code}")
    equal(picture(scene.shut.home), before, "the files")
    os.unlink(scene.shut.path(HIDDEN))


@suite.table(VERBS, lambda verb: f"HOSTILE 20: no way out of the root by {named(verb)}")
def _(scene, verb):
    fill(scene.shut)
    outside = make_outside(scene.shut)
    before = picture(outside)
    for folder in ("absolute", "relative", "../outside", "/../outside", "folder/../../outside"):
        if verb.name == "SITE MKDIR" and ".." in folder:
            continue  # it would make that one, inside
        for path in (f"{folder}/file", f"{folder}/new"):
            code = say(scene.closed, verb, path).code
            check(code in REFUSED, f"{verb.line.format(path)}: {code}")
    equal(picture(outside), before, "outside")


if __name__ == "__main__":
    suite.main(scene)
