#!/usr/bin/python3 -B
"""Names in a user's own character set (RFC 2640): ada's clients speak ISO-8859-1, bob's Shift_JIS,
and both may turn to UTF-8; carl has no other set than UTF-8.

What is stored is UTF-8, as it is for everybody else on the machine.  HOSTILE class 18 where a name
could be judged in one writing and used in another.
"""

import os
import shutil
import signal

from harness import server
from harness.ftp import Control, session, telnet
from harness.tap import Suite, check, equal, wait_until

suite = Suite()

# ada's, as stored: what Latin 1 has, what it lacks, what is no UTF-8, what looks like an escape.
STORED = [
    "grün".encode(),
    "ÿ ende".encode(),
    "日本.txt".encode(),
    "5 € a=b".encode(),
    b"stored as \xe4\xf6",
    b"=C3=A4",
    b"=3D",
    "a\u0308 decomposed".encode(),
    b"plain",
    ("日" * 85).encode(),  # 255 bytes, 765 as they are written
]
NOTHING_IN, READ_ONLY = "/geh\\303\\251im", "/nur\\303\\251"


def fixture():
    return server.configured(
        users=(
            ("ada", None, f"charset=ISO-8859-1 /=all {NOTHING_IN}=none {READ_ONLY}=list+read"),
            ("bob", None, "charset=SHIFT_JIS"),
            ("carl", None, ""),
        ),
        setting=server.SHA512_1000,
        gateways=1,
    )


@suite.case("a name is stored in UTF-8 and read in the user's characters")
def _(world):
    ada, bob, carl = world.users
    for user, name in ((ada, "grüße"), (bob, "ソ表 テスト")):
        encoded = name.encode({ada: "latin-1", bob: "shift_jis"}[user])
        with session(world, user) as control:
            control.store(b"STOR " + encoded, b"x")
            check(name.encode() in user.names(), f"{user.names()}")
            check(encoded in control.lines("NLST"), "NLST")
            check(any(line.endswith(b" " + encoded) for line in control.lines("LIST")), "LIST")
            check(any(line.endswith(b"; " + encoded) for line in control.lines("MLSD")), "MLSD")
            equal(control.fetch(b"RETR " + encoded), b"x")
            check(encoded in control.command(b"MLST " + encoded, 250).lines[1], "MLST")
            control.command(b"DELE " + encoded, 250)
    with session(world, carl) as control:
        control.store("STOR grüße".encode("latin-1"), b"x")
    check("grüße".encode("latin-1") in carl.names(), "carl's bytes are kept")


@suite.case("what is listed is the name that RETR takes, whatever is stored")
def _(world):
    ada = world.user
    ada.folder("all")
    for name in STORED:
        ada.file(b"all/" + name, b"content of " + name)
    with session(world, ada) as control:
        control.command("CWD all", 250)
        found = control.lines("NLST")
        equal(len(set(found)), len(STORED), "names")
        bodies = {control.fetch(b"RETR " + telnet(name)) for name in found}
        equal(bodies, {b"content of " + name for name in STORED}, "contents")
        facts = [line.split(b"; ", 1)[1] for line in control.lines("MLSD") if b"type=file" in line]
        equal(sorted(facts), sorted(found), "MLSD")
        for name in found:
            control.command(b"RNFR " + telnet(name), 350)
            control.command(b"RNTO /moved", 250)
            control.command(b"RNFR /moved", 350)
            control.command(b"RNTO " + telnet(name), 250)
        equal(sorted(ada.names("all")), sorted(STORED), "names after they were moved and back")
        for name in found:
            control.command(b"DELE " + telnet(name), 250)
    equal(ada.names("all"), [], "what is left")


@suite.case("folders, too, and the working directory follows from one writing to the other")
def _(world):
    ada = world.user
    with session(world, ada) as control:
        made = control.command("MKD Größe".encode("latin-1"), 257)
        equal(made.text[:8], '"/Größe"'.encode("latin-1"))
        control.command("CWD Größe".encode("latin-1"), 250)
        control.command("OPTS UTF8 ON", 200)
        equal(control.command("PWD", 257).text[:10], '"/Größe"'.encode())
        control.store("STOR ß".encode(), b"x")
        equal(control.lines("NLST"), ["ß".encode()])
        control.command("OPTS UTF8 OFF", 200)
        equal(control.command("PWD", 257).text[:8], '"/Größe"'.encode("latin-1"))
        equal(control.lines("NLST"), [b"\xdf"])
        control.command("CDUP", 250)
        control.command("CWD Gr=C3=B6=C3=9Fe", 250)
        equal(control.lines("NLST"), [b"\xdf"])
    equal(ada.names("Größe"), ["ß".encode()])


@suite.case("OPTS UTF8 ON before the login holds after it, and after the worker's death")
def _(world):
    world.expect("process_ended.*sallyport-worker|\"process\": \"worker\"")
    ada = world.user
    ada.file("früh", b"x")
    with Control(world.address) as control:
        control.reply(220)
        control.command("OPTS UTF8 ON", 200)
        control.command(f"USER {ada.name}", 331)
        control.command(f"PASS {ada.password}", 230)
        check("früh".encode() in control.lines("NLST"), "before")
        start = world.mark()
        pid = world.wait_record(event="attached", peer=control.name)["worker_pid"]
        os.kill(pid, signal.SIGKILL)
        world.wait_record(start, event="process_ended", child_pid=pid)
        wait_until(lambda: control.command("SIZE früh".encode()).code == 213, "its files again")
        control.command("QUIT", 221)


@suite.case("REIN begins anew in the next user's characters")
def _(world):
    ada = world.user
    with session(world, ada) as control:
        control.command("OPTS UTF8 ON", 200)
        control.command("REIN", 220)
        control.command(f"USER {ada.name}", 331)
        control.command(f"PASS {ada.password}", 230)
        control.command("MKD é".encode("latin-1"), 257)
        control.command("RMD é".encode("latin-1"), 250)


@suite.case("who has no other characters: OFF is 504, ON is 200, and nothing changes")
def _(world):
    with session(world, world.users[2]) as control:
        control.command("OPTS UTF8 OFF", 504)
        control.command("OPTS UTF8 ON", 200)
        control.command(b"MKD \xe9", 257)
        control.command(b"RMD \xe9", 250)


@suite.table(
    [b"\x81 first half alone", b"end\x83", b"\xfd\xfe"],
    lambda name: f"bytes that are no character ({name}) are refused, and nothing is stored",
)
def _(world, name):
    bob = world.users[1]
    before = bob.names()
    with session(world, bob) as control:
        for line in (b"MKD ", b"RNFR ", b"CWD ", b"MLST ", b"DELE "):
            control.command(line + telnet(name), 553)
        control.command("EPSV", 229)
        control.command(b"STOR " + telnet(name), 553)
    equal(bob.names(), before, "names")


@suite.case("HOSTILE 18: rights are those of the name that is used, however it is written")
def _(world):
    ada = world.user
    ada.file("gehéim/secret", b"of ada")
    ada.file("nuré/file", b"x")
    secret, only = "gehéim".encode("latin-1"), "nuré".encode("latin-1")
    with session(world, ada) as control:
        for written in (secret, b"geh=C3=A9im", b"./" + secret, b"x/../" + secret, secret + b"/."):
            for verb in (b"CWD ", b"SIZE ", b"MDTM ", b"MLST ", b"RNFR ", b"DELE ", b"RMD "):
                control.command(verb + written, 550)
            control.command(b"SIZE " + written + b"/secret", 550)
        for written in (only, b"nur=C3=A9"):
            equal(control.fetch(b"RETR " + written + b"/file"), b"x")
            control.command(b"DELE " + written + b"/file", 550)
            control.command(b"MKD " + written + b"/new", 550)
        control.command("OPTS UTF8 ON", 200)
        control.command("CWD gehéim".encode(), 550)
        control.command("DELE nuré/file".encode(), 550)
    equal(ada.names("nuré"), [b"file"])


@suite.case("escapes of dots and slashes are none: there is no way out by them")
def _(world):
    ada = world.user
    with session(world, ada) as control:
        for name in (b"=2E=2E", b"=2E=2E=2F=2E=2E", b"a=2Fb", b"=00"):
            control.command(b"MKD " + name, 257)
            check(name in ada.names(), f"{name} in {ada.names()}")
            control.command(b"RMD " + name, 250)


@suite.case("patterns are for names as they are written: ? is one letter")
def _(world):
    ada = world.user
    for name in ("aéb", "aeb", "a日b"):
        ada.file(f"patterns/{name}")
    with session(world, ada) as control:
        control.command("CWD patterns", 250)
        equal(sorted(control.lines("NLST a?b")), [b"aeb", b"a\xe9b"])
        equal(control.lines(b"NLST a[\xe9]b"), [b"a\xe9b"])
        equal(control.lines("NLST a=*b"), ["a=E6=97=A5b".encode()])


# Every command with a path in it, and then what it is to leave: names as stored. What comes before the
# path, between quotes and behind it is the command's own.
PATHS = [
    ("CWD é", "é"),
    ("SIZE é/ö", "é/ö"),
    ("MDTM é/ö", "é/ö"),
    ("MDTM 20200102030405 é/ö", "é/ö"),
    ("MFMT 20200102030405 é/ö", "é/ö"),
    ("MFF Modify=20200102030405;UNIX.mode=0600; é/ö", "é/ö"),
    ("MLST é/ö", "é/ö"),
    ("STAT é", "é"),
    ("STAT é/ö", "é/ö"),
    ("HASH é/ö", "é/ö"),
    ("XCRC é/ö", "é/ö"),
    ('XMD5 "é/ö" 0 1', "é/ö"),
    ("XSHA256 é/ö 0 1", "é/ö"),
    ("AVBL é", "é"),
    ("MKD é/neü", "é/neü"),
    ("DELE é/ö", "!é/ö"),
    ("RMD é/leër", "!é/leër"),
    ("RMDA é/völl", "!é/völl"),
    ("SITE CHMOD 600 é/ö", "é/ö"),
    ("SITE UTIME 202001020304 é/ö", "é/ö"),
    ("SITE UTIME é/ö 20200102030405 20200102030405 20200102030405 UTC", "é/ö"),
    ("SITE MKDIR é/ü/ß", "é/ü/ß"),
    ("SITE RMDIR é/völl", "!é/völl"),
    ('SITE COPY "é/ö" "é/cöpie"', "é/cöpie"),
    ("RNFR é/ö && RNTO é/nöch", "é/nöch"),
    ("SITE CPFR é/ö && SITE CPTO é/cöpie", "é/cöpie"),
    ('COMB "é/älles" "é/ö" "é/völl/zweï"', "é/älles"),
    ("COMB é/=C3=A4lles é/=C3=B6 é/völl/./zweï", "é/älles"),
]


@suite.table(PATHS, lambda row: f"its path is the user's: {row[0]}")
def _(world, row):
    commands, left = row
    ada = world.user
    shutil.rmtree(ada.path("é"), ignore_errors=True)
    ada.file("é/ö", b"eins")
    ada.file("é/völl/zweï", b"zwei")
    ada.folder("é/leër")
    with session(world, ada) as control:
        for command in commands.split(" && "):
            answer = control.command(command.encode("latin-1"))
            check(answer.code < 400, f"{command}: {answer}")
            check("é".encode() not in b"".join(answer.lines), f"{answer} has a name as stored")
    if left[0] == "!":
        check(not ada.path(left[1:]).exists(), f"{left[1:]} is there")
    else:
        check(ada.path(left).exists(), f"{left} is not there: {ada.names('é')}")


@suite.case("COMB: parts go by their names in the user's characters, and are in the log as stored")
def _(world):
    ada = world.user
    ada.folder("stücke")
    for name in ("erstes ä", "zweites ö"):
        ada.file(f"stücke/{name}", name.encode())
    start = world.mark()
    with session(world, ada) as control:
        control.command('COMB "stücke/gänz" "stücke/erstes ä" "stücke/zweites ö"'.encode("latin-1"), 250)
        control.command('COMB x "stücke/gänz" "gehéim/secret"'.encode("latin-1"), 550)
        control.command("OPTS UTF8 ON", 200)
        control.command("COMB stücke/nöch stücke/gänz".encode(), 250)
    equal(ada.names("stücke"), ["nöch".encode()])
    equal(ada.path("stücke/nöch").read_bytes(), "erstes äzweites ö".encode())
    for name, destination in (
        ("/stücke/erstes ä", "/stücke/gänz"),
        ("/stücke/zweites ö", "/stücke/gänz"),
        ("/gehéim/secret", "/x"),
        ("/stücke/gänz", "/stücke/nöch"),
    ):
        world.wait_record(start, event="operation", name="combine", path=name, destination=destination)


# Second bytes of these are [ \\ ] ^ { | } ~ ` and @, which mean something elsewhere.
TRICKY = ["データ", "ソート", "表示.txt", "ポート", "ゾーン[1]", "ム", "ミ{a}", "ァ"]


@suite.table(TRICKY, lambda name: f"bytes of a character mean nothing by themselves: {name}")
def _(world, name):
    bob = world.users[1]
    encoded = name.encode("shift_jis")
    bob.file(f"{name}/{name}", b"x")
    with session(world, bob) as control:
        for command in (b"LIST ", b"NLST ", b"MLSD ", b"STAT "):
            if command == b"STAT ":
                lines = control.command(command + encoded, 212, 213).lines
            else:
                lines = control.lines(command + encoded)
            check(any(line.endswith(encoded) for line in lines), f"{command}: {lines}")
        equal(control.lines(b"NLST " + encoded + b"/" + encoded), [encoded + b"/" + encoded])
        inside = encoded if name.endswith("]") else encoded + b"/" + encoded  # a pattern, or the folder
        equal(control.lines(b"NLST " + encoded), [inside])
        equal(control.fetch(b"RETR " + encoded + b"/" + encoded), b"x")
        control.command(b'SITE COPY "' + encoded + b"/" + encoded + b'" "' + encoded + b'/2"', 250)
        control.command(b'COMB "' + encoded + b'/3" "' + encoded + b'/2" "' + encoded + b"/" + encoded + b'"', 250)
        control.command(b"HASH " + encoded + b"/3", 213)
        control.command(b"CWD " + encoded, 250)
    equal(bob.names(name), [b"3"])
    shutil.rmtree(bob.path(name))


@suite.case("patterns in characters of two bytes")
def _(world):
    bob = world.users[1]
    for name in ("ソート", "ソース", "データ", "デート"):
        bob.file(f"muster/{name}")
    with session(world, bob) as control:
        control.command("CWD muster", 250)
        for pattern, want in (("ソ*", ("ソート", "ソース")), ("デー*", ("データ", "デート")), ("*ト", ("ソート", "デート"))):
            found = sorted(control.lines(b"NLST " + pattern.encode("shift_jis")))
            equal(found, sorted(name.encode("shift_jis") for name in want), pattern)


@suite.case("STOU says its name as the client writes it")
def _(world):
    with session(world, world.user) as control, control.data() as data:
        answer = control.command("STOU é".encode("latin-1"), 150)
        check(b"\xe9" in answer.text and "é".encode() not in answer.text, f"{answer}")
        data.write(b"x")
        control.reply(226)


@suite.case("the log has names as they are stored")
def _(world):
    start = world.mark()
    with session(world, world.user) as control:
        control.command("MKD öffentlich".encode("latin-1"), 257)
    equal(world.wait_record(start, event="operation", name="mkdir")["path"], "/öffentlich")


@suite.case("FEAT has UTF8 and LANG EN*")
def _(world):
    with session(world, world.user) as control:
        lines = control.command("FEAT", 211).lines
        check(b" UTF8" in lines and b" LANG EN*" in lines, f"{lines}")


if __name__ == "__main__":
    suite.main(fixture)
