#!/usr/bin/python3 -B
"""A client that wants in: commands before the login, names that are paths, other forms of a name
that is closed, guessing who there is and with which password.

HOSTILE classes 16, 18, 19 and 26 to 28.
"""

import collections
import contextlib
import threading

from siege import Siege, besieged, check, equal, fresh, server, session, verbs

suite = Siege()

HOST = "example.org"
OF_HOST = f"{HOST}/{server.PASSWORD}"
ATTEMPTS = 3


def fixture():
    return besieged(
        users=(
            ("ada", None, "/=all /secret=none /only=list+read"),
            ("full", None, "max_sessions_per_user=1"),
            ("shut", None, "disabled"),
        ),
        hosts=(server.Host(HOST, (("guest", None, ""),)),),
        login_attempts=ATTEMPTS,
    )


# 16

FREE = set(
    "USER PASS ACCT QUIT AUTH PBSZ PROT FEAT HELP NOOP SYST OPTS HOST LANG CLNT REIN".split()
)
STATES = {
    "nobody yet": [],
    "USER only": [("USER ada", 331)],
    "a wrong PASS": [("USER ada", 331), ("PASS wrong", 530)],
}


@suite.table(list(STATES), lambda state: f"HOSTILE 16: {state}: verbs that are not free are 530")
def _(world, state):
    known = [verb for verb, kind in verbs().items() if kind != "FOREIGN"]
    check(len(known) > 60 and FREE <= set(known), f"the table of commands was misread: {known}")
    with fresh(world) as control:
        for line, code in STATES[state]:
            control.command(line, code)
        for verb in sorted(set(known) - FREE):
            for line in (verb, f"{verb} x", f"{verb.lower()} /../x", f"{verb} 1"):
                control.command(line, 530)


@suite.table(list(STATES), lambda state: f"HOSTILE 16: {state}: free verbs say something else")
def _(world, state):
    for verb in sorted(FREE):
        with fresh(world) as control:
            for line, code in STATES[state]:
                control.command(line, code)
            answer = control.command(verb)
            # After a name an empty password is one, and wrong.
            named = verb == "PASS" and state == "USER only"
            check((answer.code == 530) == named, f"{verb}: {answer}")


# 18

FORMS = {
    "double slashes": "//{folder}//{name}",
    "dots": "./{folder}/./{name}",
    "a dot at the end": "{folder}/{name}/.",
    "down and up": "{folder}/../{folder}/{name}",
    "up beyond the root": "../../{folder}/{name}",
    "a slash at the end": "{folder}/{name}/",
    "percent signs": "%2e/{folder}%2f{name}",
    "an overlong slash": "{folder}\udcc0\udcaf{name}",
    "an overlong dot": "\udcc0\udcae/{folder}/{name}",
    "other letters": "{Folder}/{name}",
    "another normal form": "{folder}/na\u0308me",
    "a backslash": "{folder}\\{name}",
    "a blank": "{folder} /{name}",
}


@suite.table(list(FORMS), lambda form: f"HOSTILE 18: {form}: no way around the rights")
def _(world, form):
    ada = world.user
    for folder in ("secret", "only"):
        ada.file(f"{folder}/näme", folder.encode())
    before = tree(ada)
    with session(world, ada) as control:
        for folder in ("secret", "only"):
            path = FORMS[form].format(folder=folder, Folder=folder.title(), name="näme")
            change_nothing(control, path)
            if folder == "secret":
                learn_nothing(control, path)
    equal(tree(ada), before, "what is there")


def tree(user):
    paths = sorted(path for folder in ("secret", "only") for path in user.path(folder).rglob("*"))
    return [(str(path), path.read_bytes()) for path in paths]


def change_nothing(control, path):
    for verb in ("DELE", "RMD"):
        control.command(f"{verb} {path}", 550, 553)
    if control.command(f"RNFR {path}", 350, 550, 553).code == 350:
        control.command("RNTO moved", 550, 553)
    if control.command(f"MKD {path}", 257, 550, 553).code == 257:
        control.command(f"RMD {path}", 250)  # it was another name
    for verb in ("STOR", "APPE"):
        with control.data() as data:
            if control.command(f"{verb} {path}", 150, 550, 553).code == 150:
                data.close()
                control.reply(226)
                control.command(f"DELE {path}", 250)  # so was this


def learn_nothing(control, path):
    for verb in ("SIZE", "MDTM", "MLST", "CWD", "STAT", "RNFR"):
        control.command(f"{verb} {path}", 550, 553)
    for verb in ("RETR", "LIST", "NLST"):
        control.command("EPSV", 229)
        control.command(f"{verb} {path}", 550, 553)


@suite.case("HOSTILE 18: uploads under way are not there, by any form of their name")
def _(world):
    name = ".sallyport-0123456789abcdef.part"
    world.user.file(name, b"x")
    with session(world) as control:
        for path in (name, f"./{name}", f"/{name}", f"{name}/.", f"x/../{name}", f"//{name}/"):
            change_nothing(control, path)
            learn_nothing(control, path)
        for listing in ("NLST -a", "LIST -a", "MLSD", f"NLST -a {name[:-3]}*"):
            check(all(name[:12].encode() not in line for line in control.lines(listing)), listing)
    check(name.encode() in world.user.names(), "it is gone")
    world.user.path(name).unlink()


# 19

NO_NAMES = [
    "../ada", "ada/", "/ada", "ada/../full", "../homes/ada", "/etc/passwd", ".", "..", "ada\\",
    "ada:", f"{HOST}/guest", f"../{HOST}/guest", "ada\t", " ada", "ada ",
    "%61da", "ADA", "ada\udcc0\udc80",
    "a" * 255, "shut",
]  # fmt: skip


@suite.case("HOSTILE 19: names that are paths, or nearly somebody's, are nobody's")
def _(world):
    start, workers = world.mark(), world.processes("worker")
    for name in NO_NAMES:
        with fresh(world) as control:
            for password in (server.PASSWORD, OF_HOST):
                control.command(f"USER {name}", 331)
                equal(control.command(f"PASS {password}").code, 530, f"as {name!r}")
            control.command("PWD", 530)
    with fresh(world) as control:
        control.command("USER last", 331)
        control.command("PASS x", 530)
    world.wait_record(start, event="login", name="last")
    judged = [r for r in world.records()[-2 * len(NO_NAMES) :] if r["event"] == "login"]
    check({r["verdict"] for r in judged} == {"refused"}, f"{judged}")
    equal(world.processes("worker"), workers, "workers")


# 26

NO_WORDS = [
    "' OR '1'='1", "ada'--", "ada'; DROP TABLE users; --", 'ada" OR ""="', "ada\\'", "ada%00",
    "$(touch pwned)", "`touch pwned`", "ada; touch pwned", "ada | touch pwned", "ada && touch pwned",
    "${HOME}", "~ada", "*", "ada*", "-ada", "--help", "-c touch pwned", ">pwned", "ada #",
]  # fmt: skip


@suite.case("HOSTILE 26: words of SQL and of shells are names of nobody, and are told as they are")
def _(world):
    start, workers = world.mark(), world.processes("worker")
    before = sorted(world.user.home.parent.parent.rglob("*"))
    for name in NO_WORDS:
        with fresh(world) as control:
            control.command(f"USER {name}", 331)
            equal(control.command(f"PASS {server.PASSWORD}").code, 530, f"as {name!r}")
        equal(world.wait_record(start, event="login", name=name)["verdict"], "refused", name)
        with fresh(world) as control:  # and as a password
            control.command("USER ada", 331)
            control.command(f"PASS {name}", 530)
    equal(world.processes("worker"), workers, "workers")
    equal(sorted(world.user.home.parent.parent.rglob("*")), before, "files")


# 27

WHO = {
    "a user, and a wrong password": ("ada", "wrong"),
    "a user, and no password": ("ada", ""),
    "a user, and the password of another host": ("ada", OF_HOST),
    "a disabled user, and the right password": ("shut", server.PASSWORD),
    "a user of another host": ("guest", OF_HOST),
    "nobody": ("nobody-here", server.PASSWORD),
    "nobody, at length": ("x" * 255, "y" * 1024),
}


@suite.case("HOSTILE 27: whoever is refused hears the same words, with as many hashes computed")
def _(world):
    heard = {}
    for who, (name, password) in WHO.items():
        start = world.mark()
        with fresh(world) as control:
            words = (
                control.command(f"USER {name}", 331).lines,
                control.command(f"PASS {password}", 530).lines,
            )
            login = world.wait_record(start, event="login", peer=control.name)
        heard[who] = [line for reply in words for line in reply]
        # The log has one judgement of each; that it costs one hash is tried in unit/auth.
        equal(login["verdict"], "refused", who)
    equal(len(set(map(tuple, heard.values()))), 1, f"ways of refusing: {heard}")


@suite.case("HOSTILE 27: that all sessions of a user are taken is told to that user only")
def _(world):
    full = world.users[1]
    world.expect("too-many-sessions-of-user")
    with session(world, full):
        with fresh(world) as control:
            control.command(f"USER {full.name}", 331)
            equal(control.command("PASS wrong", 530).text, b"Login incorrect.")
        with fresh(world) as control:
            control.command(f"USER {full.name}", 331)
            control.command(f"PASS {full.password}", 421)


# 28


@suite.case("HOSTILE 28: three guesses a connection, then 421 and the end")
def _(world):
    with fresh(world) as control:
        for number in range(ATTEMPTS):
            control.command("USER ada", 331)
            control.command(f"PASS guess {number}", 530)
        control.reply(421)
        control.expect_end()
    with fresh(world) as control:
        guesses = b"".join(b"USER ada\r\nPASS %d\r\n" % number for number in range(50))
        control.send(guesses)
        codes = [control.reply().code for _ in range(2 * ATTEMPTS)]
        equal(codes, [331, 530] * ATTEMPTS, "to pipelined guesses")
        control.reply(421)
        control.expect_end()
    judged = collections.Counter(r["session"] for r in world.records() if r["event"] == "login")
    check(max(judged.values()) <= ATTEMPTS, f"attempts that were judged, by session: {judged}")


@suite.case("HOSTILE 28: who guesses from one address does not keep others out, nor the user")
def _(world):
    stop = threading.Event()
    guessed = []

    def guess(number):
        while not stop.is_set():
            with contextlib.suppress(EOFError, OSError), fresh(world, "127.0.0.9") as control:
                for _ in range(ATTEMPTS):
                    control.command("USER ada", 331)
                    guessed.append(control.command(f"PASS {number}", 530, 421).code)

    guessers = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
    for guesser in guessers:
        guesser.start()
    try:
        for number in range(10):
            with session(world, source=f"127.0.1.{number + 1}") as control:
                control.command("PWD", 257)
    finally:
        stop.set()
        for guesser in guessers:
            guesser.join()
    check(530 in guessed, "nobody guessed meanwhile")


if __name__ == "__main__":
    suite.main(fixture)
