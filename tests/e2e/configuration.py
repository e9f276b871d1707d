#!/usr/bin/python3 -B
"""Mistakes at the start: refused, with file and line, never half applied.

HOSTILE class 33: a malformed value is no reason to serve with another one.
"""

import contextlib
import os
import re
import socket

from harness import place, server, tls
from harness.launch import run
from harness.tap import AT_A_TIME, LIVENESS_S, Suite, check, equal, need_root

suite = Suite()

EXIT_USAGE = 64

WRONG = {
    "an unknown option": ("listenn = 21\n", 1, "listenn"),
    "an unknown option further down": ("# comment\n\nidle_timeout = 10\nbogus = 1\n", 4, "bogus"),
    "a number that is none": ("max_sessions = many\n", 1, "max_sessions"),
    "a number too large": ("login_attempts = 1000\n", 1, "login_attempts"),
    "a negative number": ("max_sessions = -1\n", 1, "max_sessions"),
    "a time without sense": ("\nidle_timeout = 5parsec\n", 2, "idle_timeout"),
    "a rule of addresses with a slip": (
        '\npassive_address = {"10.0.0.0/8=10.1.2.3",\n "10.1.1.1/8=x.example"}\n',
        3,
        "passive_address: '10.1.1.1/8' has bits behind",
    ),
    "a port range upside down": ("passive_ports = 3000-2000\n", 1, "passive_ports"),
    "a choice that is none": ("symlinks = maybe\n", 1, "symlinks"),
    "too many threads": ("path_threads = 65\n", 1, "path_threads"),
    "an address that is none": ('listen = {"127.0.0.1"}\n', 1, "listen"),
    "a syntax error": ("greeting = {never closed\n", r"\d+", ""),
}


@suite.table(list(WRONG), lambda name: f"HOSTILE 33: {name} is refused with file and line")
def _(_nothing, name):
    text, line, word = WRONG[name]
    with place.temporary_folder() as folder:
        (folder / "wrong.conf").write_text(text)
        said = refused_start("--config", folder / "wrong.conf")
        check(re.search(rf"wrong\.conf:{line}: .*{word}", said), f"not line {line}: {said!r}")


WRONG_USERS = {
    "too few fields": "demo:!:2000\n",
    "a uid that is none": "demo:!:x:2000::/srv/demo:\n",
    "root's uid": "demo:!:0:2000::/srv/demo:\n",
    "a relative home": "demo:!:2000:2000::home:\n",
    "an unknown word": "demo:!:2000:2000::/srv/demo:bogus=1\n",
    "a name twice": "demo:!:2000:2000::/srv/a:\ndemo:!:2000:2000::/srv/b:\n",
}


@suite.table(
    list(WRONG_USERS), lambda name: f"HOSTILE 33: users file with {name} is refused with file and line"
)
def _(_nothing, name):
    text = WRONG_USERS[name]
    with place.temporary_folder() as folder:
        (folder / "wrong.users").write_text(text)
        path = write_right(folder, users_file=folder / "wrong.users")
        for arguments in (["--config", path], ["--config", path, "--check"]):
            said = refused_start(*arguments)
            check(f"wrong.users:{text.count(chr(10))}:" in said, f"no file and line in {said!r}")


def write_right(folder, **options):
    """A configuration in which nothing is wrong but these options; its path."""
    settings = {
        "listen": server.braces([f"127.0.0.1:{server.free_port()}"]),
        "log_directory": '""',
        **server.ACCOUNTS,
        **options,
    }
    path = folder / "right.conf"
    path.write_text("".join(f"{option} = {value}\n" for option, value in settings.items()))
    return path


@suite.case("a users file that is missing is named")
def _(_nothing):
    with place.temporary_folder() as folder:
        missing = folder / "missing.users"
        said = refused_start("--config", write_right(folder, users_file=missing))
        check(str(missing) in said, f"{said!r}")


@suite.case("--check says ok of what is right, and starts nothing")
def _(_nothing):
    with place.temporary_folder() as folder:
        (folder / "users").write_text("# nobody yet\n")
        path = write_right(folder, users_file=folder / "users")
        done = run([place.program("sallyportd"), "--config", path, "--check"])
        equal(done.stdout.decode().strip(), "ok", "said")


@suite.table(
    (["--bogus"], ["--quick", "--listen", "nowhere"], ["--quick", "--backend", "threaded"]),
    lambda arguments: f"sallyportd {' '.join(arguments)} is refused",
)
def _(_nothing, arguments):
    check(refused_start(*arguments).strip(), "not a word of explanation")


@suite.table(("users", "key"), lambda what: f"a file of {what} that is somebody else's: refused by --check, too")
def _(_nothing, what):
    need_root("it gives a file away")
    with place.temporary_folder() as folder:
        users = folder / "users"
        users.write_text("# nobody yet\n")
        users.chmod(0o600)
        certificate, key = tls.make_certificate(folder)
        path = write_right(folder, users_file=users, **tls.options(certificate, key))
        right = ["--config", path, "--check"]
        equal(run([place.program("sallyportd"), *right]).stdout, b"ok\n", "at first")
        os.chown(users if what == "users" else key, 4242, 4242)
        for arguments in (["--config", path], right):
            check("Permission denied; root reads it without its privileges" in refused_start(*arguments), "")


@suite.table(
    (
        ["--bogus"],
        ["--config"],
        ["--show-cage", "bogus"],
        ["--quick", "--bogus"],
        ["--quick", "--root"],
        ["--quick", "--tls=yes"],
        ["--quick", "--tls", "--tls"],
    ),
    lambda arguments: f"sallyportd {' '.join(arguments)} is no command line",
)
def _(_nothing, arguments):
    done = run([place.program("sallyportd"), *arguments], check_status=False)
    equal((done.returncode, done.stdout), (EXIT_USAGE, b""))
    check(arguments[-1].partition("=")[0] in done.stderr.decode(), f"{done.stderr!r}")


@suite.table((["--help"], ["--version"]), lambda words: f"{words[0]} is answered behind --quick, too")
def _(_nothing, words):
    said = [run([place.program("sallyportd"), *before, *words]).stdout for before in ([], ["--quick"])]
    equal(said[1], said[0])
    check(said[0].strip(), "not a word")


@suite.case("--help names the roles that --show-cage knows, and so does the refusal of another one")
def _(_nothing):
    program = place.program("sallyportd")
    refused = run([program, "--show-cage", "bogus"], check_status=False).stderr.decode()
    roles = refused.partition("these are:")[2].split()
    check(len(roles) > 5, f"{refused!r}")
    check(" ".join(roles) in run([program, "--help"]).stdout.decode(), "--help has others")
    for role in roles:
        check(run([program, "--show-cage", role]).stdout.decode().startswith(f"{role}: "), role)


@suite.case("--check warns of users whom the server would turn away, and says ok")
def _(_nothing):
    with place.temporary_folder() as folder:
        hashed = "$6$rounds=1000$abcdefgh$x"
        (folder / "users").write_text(f"ann:{hashed}:1:1::/nowhere:\nbob:!:1:1::/nowhere:\n")
        path = write_right(folder, users_file=folder / "users")
        done = run([place.program("sallyportd"), "--config", path, "--check"])
        equal(done.stdout, b"ok\n", "said")
        said = done.stderr.decode().splitlines()
        equal(len(said), 1, "warnings")
        check(said[0].startswith(f"{folder}/users:1: warning: 'ann' will not be let in: "), said[0])


@suite.case("a port that is taken is an error that names it")
def _(_nothing):
    with place.temporary_folder() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        place.User("demo", "x", folder / "home")
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        root = folder / "home"
        said = refused_start("--quick", "--root", root, "--user", "demo:x", "--listen", address)
        check(address.rpartition(":")[2] in said, f"no port in {said!r}")


def refused_start(*arguments):
    """It ends by itself, not well, within the time that a retry of bind may take; what it said."""
    done = run([place.program("sallyportd"), *arguments], 3 * LIVENESS_S, check_status=False)
    check(done.returncode > 0, f"exit status {done.returncode}")
    return (done.stdout + done.stderr).decode()


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
