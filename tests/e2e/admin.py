#!/usr/bin/python3 -B
"""The command `sallyport` and the admin socket: what it tells, what it does, what it saves, and who
may use it (HOSTILE 32).

What each request answers in each state is the books' (tests/unit/sessions/test_admins.c), what is
in an archive the worker's (tests/unit/worker/test_memory_save.c); here it is the whole server.
"""

import array
import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import tarfile

from harness import place, server
from harness.fixtures import noise, odd_names
from harness.ftp import Control, session
from harness.launch import run
from harness.tap import LIVENESS_S, Suite, check, equal, need_root, wait_until

suite = Suite()

ADMINS, STRANGER = 23200, 23999  # a group, a user
NOT_DONE, USAGE, NO_SERVER, NO_PERMISSION = 1, 64, 69, 77
USERS = (("demo", None, "backend=memory"), ("files", None, ""))
OF_USER_MAX = 8  # connections to the socket


def fixture():
    group = {"admin_group": ADMINS} if os.geteuid() == 0 else {}
    return server.configured(USERS, setting=server.SHA512_1000, **group)


def command(world, *words):
    return [place.program("sallyport"), "--socket", world.admin_socket, *words]


def ask(world, *words, status=0, **options):
    """What it says on both outputs together."""
    done = run(command(world, *words), check_status=False, **options)
    said = (done.stdout + done.stderr).decode()
    equal(done.returncode, status, f"exit status of {words}, which says {said!r}")
    return said


def ask_json(world, *words):
    return json.loads(ask(world, *words, "--json"))


def own_session(world, control):
    """The session of that control connection, as the command lists it."""
    peer = control.name
    (found,) = [one for one in ask_json(world, "sessions")["sessions"] if one["peer"] == peer]
    return found


# What it tells


@suite.case("status: version, addresses, walls, numbers and every process")
def _(world):
    with session(world):
        told = ask_json(world, "status")
        for role in ("gateway", "worker", "record"):
            rows = [row for row in told["processes"] if row["process"] == role]
            pids = sorted(row["process_pid"] for row in rows)
            equal(pids, sorted(world.processes(role)), f"processes of {role}")
            equal({row["stage"] for row in rows}, {"serving"}, "stages")
        equal(told["server_pid"], world.pid, "server_pid")
        equal(told["sessions"], 1, "sessions")
        check(f":{world.address[1]}" in told["addresses"], told["addresses"])
        ready = [line for line in world.launched.output("stdout") if "cage: " in line]
        check(told["cage"] in ready[0], f"{told['cage']!r} is not in {ready[0]!r}")
        text = ask(world, "status")
        for word in (told["version"], told["addresses"], told["cage"], f"process {world.pid}"):
            check(word in text, f"{word!r} is not in {text!r}")


@suite.case("sessions: each with its client, user and worker, as the record has it")
def _(world):
    with session(world) as control, session(world, world.users[1]) as other:
        for one, user in ((control, "demo"), (other, "files")):
            told = own_session(world, one)
            attached = world.wait_record(event="attached", peer=told["peer"])
            for field in ("session", "account", "peer", "local", "worker_pid"):
                equal(told[field], attached[field], field)
            equal(told["account"], user, "account")
            equal(told["stage"], "open", "stage")
            check(told["session"] in ask(world, "sessions"), "it is not in the text")
    wait_until(lambda: not ask_json(world, "sessions")["sessions"], "nobody is there")


# What it does


@suite.case("close: the client is told, the session is gone, the record says who did it")
def _(world):
    with Control(world.address) as control:
        control.login(world.user.name, world.user.password)
        told = own_session(world, control)
        ask(world, "close", told["session"])
        control.reply(421)
        control.expect_end()
    record = world.wait_record(event="administered", request="close", about=told["session"])
    equal((record["by_uid"], record["error"]), (os.geteuid(), 0), "by_uid and error")
    wait_until(lambda: not ask_json(world, "sessions")["sessions"], "nobody is there")
    ask(world, "close", told["session"], status=NOT_DONE)


@suite.case("reload: a new user may log in when it is done")
def _(world):
    users = world.admin_socket.parent / "users"
    before = users.read_text()
    users.write_text(before + before.splitlines()[1].replace("files", "new", 1) + "\n")
    ask(world, "reload")
    new = place.User("new", server.PASSWORD, world.users[1].home)
    with session(world, new):
        pass
    users.write_text(before)
    ask(world, "reload")


@suite.case("reload: a mistake is told with file and line, and changes nothing")
def _(world):
    world.expect("configuration refused, the old one stays")
    path = world.admin_socket.parent / "sallyport.conf"
    before = path.read_text()
    path.write_text(before + "umask = 999\n")
    said = ask(world, "reload", status=NOT_DONE)
    path.write_text(before)
    line = len(before.splitlines()) + 1
    check(re.search(rf"sallyport\.conf:{line}: umask", said), f"{said!r}")
    with session(world):
        pass
    ask(world, "reload")


# What it saves


def stored(control, tree):
    """Files by name in a folder, and an empty one."""
    control.command("MKD tree", 257)
    control.command("MKD tree/empty", 257)
    for name, content in tree.items():
        control.store(b"STOR tree/" + os.fsencode(name), content)


def content_of(archive):
    """Files in the folder, by name; surrogates are bytes that are no UTF-8."""
    with tarfile.open(archive, encoding="utf-8", errors="surrogateescape") as tar:
        members = [one for one in tar.getmembers() if one.name.startswith("tree/")]
        return {
            one.name.removeprefix("tree/"): tar.extractfile(one).read() if one.isfile() else None
            for one in members
        }


def modified(control, name):
    return re.search(rb"modify=([0-9]+)", control.command(f"MLST {name}", 250).lines[1])[1]


ODD_NAMES = [name for name in odd_names(80) if "/" not in name] + ["\udcfe no UTF-8"]
TREE = {name: f"{number} ".encode() * 100 for number, name in enumerate(ODD_NAMES)}


@suite.case("save: what is stored under odd names is in the archive, and --load brings it back")
def _(world):
    with place.temporary_folder() as folder, session(world) as control:
        archive = folder / "saved.tar"
        stored(control, TREE)
        ask(world, "save", "demo", archive)
        equal(stat.S_IMODE(archive.stat().st_mode), 0o600, "mode")
        equal(content_of(archive), {**TREE, "empty": None}, "content")
        archive.chmod(0o644)
        path = folder / "admin.sock"
        options = ("--load", archive, "--admin-socket", path)
        with server.quick(*options, backend="memory") as again, session(again) as reader:
            for name, content in TREE.items():
                equal(reader.fetch(b"RETR tree/" + os.fsencode(name)), content, name)
            for name in ("tree/empty", "tree"):
                equal(modified(reader, name), modified(control, name), f"time of {name}")
            check(path.is_socket(), "the socket is not there")
        check(not path.exists(), "the socket outlives its server")
        control.command("SITE RMDIR tree", 250, 500, 502, 504)


@suite.case("save: of a file that is being uploaded, what was committed")
def _(world):
    with place.temporary_folder() as folder, session(world) as control:
        control.store("STOR old", b"committed")
        with control.data() as data:
            control.command("STOR old", 150)
            data.socket.sendall(noise(100_000))
            ask(world, "save", "demo", folder / "during.tar")
            data.close()
            control.reply(226)
        with tarfile.open(folder / "during.tar") as tar:
            equal(tar.extractfile("old").read(), b"committed", "content")
            hidden = [name for name in tar.getnames() if ".sallyport-" in name]
            equal(hidden, [], "hidden names")
        control.command("DELE old", 250)


def saved_content(world, *words):
    with place.temporary_folder() as folder:
        ask(world, "save", *words, "demo", folder / "a")
        with tarfile.open(folder / "a") as tar:
            return tar.extractfile("f").read()


@suite.case("save: of a user whose account has changed, the tree of before, and that of now")
def _(world):
    users = world.admin_socket.parent / "users"
    before = users.read_text()
    with session(world) as old:
        old.store("STOR f", b"before")
        worker = own_session(world, old)["worker_pid"]
        users.write_text(before.replace("backend=memory", "backend=memory memory_limit=1MiB"))
        ask(world, "reload")
        equal(saved_content(world), b"before", "of the only one")
        with session(world) as new:
            new.store("STOR f", b"now")
            equal(saved_content(world), b"now", "of the one that takes sessions")
            equal(saved_content(world, "--worker", worker), b"before", "of the other one")
    users.write_text(before)
    ask(world, "reload")


BIG = 16 << 20


@contextlib.contextmanager
def half_saved(world):
    """A save to a pipe that nobody reads; yields the command and the session that goes on."""
    with session(world) as control:
        control.store("STOR big", noise(BIG))
        words = command(world, "save", "demo", "-")
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as saving:
            equal(saving.stdout.read(512)[257:262], b"ustar", "the magic of the first header")
            yield saving, control
        with contextlib.suppress(EOFError):
            control.command("DELE big", 250, 451, 550)


@suite.case("save: it is slow, the user goes on meanwhile, and the archive is of before")
def _(world):
    with half_saved(world) as (saving, control):
        control.store("STOR big", bytes(BIG))
        control.command("RNFR big", 350)
        control.command("RNTO moved", 250)
        rest = saving.stdout.read()
        equal(saving.wait(LIVENESS_S), 0, f"exit status ({saving.stderr.read()!r})")
        check(noise(BIG) in rest, "the archive has other bytes")
        equal(control.fetch("RETR moved"), bytes(BIG), "what is there now")
        control.command("RNFR moved", 350)
        control.command("RNTO big", 250)


@suite.case("save: the command is killed, which the record tells; the next one is whole")
def _(world):
    start = world.mark()
    with half_saved(world) as (saving, control):
        saving.kill()
        saving.wait()
        record = world.wait_record(start, event="administered", request="save", about="demo")
        # Its end is seen by the supervisor (ECANCELED) or by the worker (EPIPE) first.
        check(record["error"] in (125, 32), f"{record}")
        with place.temporary_folder() as folder:

            def save():
                done = run(command(world, "save", "demo", folder / "a"), check_status=False)
                return done.returncode == 0

            wait_until(save, "the worker has heard of it, and saves again")
            with tarfile.open(folder / "a") as tar:
                equal(tar.extractfile("big").read(), noise(BIG), "content")


@suite.case("save: its worker dies, and there is no file that looks whole")
def _(world):
    world.expect('"process": "worker"')
    with place.temporary_folder() as folder, half_saved(world) as (saving, control):
        worker = own_session(world, control)["worker_pid"]
        os.kill(worker, signal.SIGKILL)
        saving.stdout.read()
        equal(saving.wait(LIVENESS_S), NOT_DONE, "exit status")
        check(b"not whole: its worker has ended" in saving.stderr.read(), "the reason is not told")
        ask(world, "save", "demo", folder / "b", status=NOT_DONE)  # nobody has come back yet
        equal(os.listdir(folder), [], "files")


REFUSED = {
    "nobody": (["save", "nobody", "new"], NOT_DONE, "no such user"),
    "real files": (["save", "files", "new"], NOT_DONE, "nothing to save"),
    "a file that is there": (["save", "demo", "there"], NOT_DONE, "--force"),
    "a folder that is there": (["save", "--force", "demo", "folder"], NOT_DONE, "is no file"),
    "a folder that is not there": (["save", "demo", "none/new"], NOT_DONE, "No such file"),
    "another process": (["save", "--worker", "1", "demo", "new"], NOT_DONE, "no worker of that"),
    "a session that is none": (["close", "xyz"], USAGE, "16 hexadecimal digits"),
    "a command that is none": (["stop"], USAGE, "is no command"),
    "no command": ([], USAGE, "is missing"),
    "too few words": (["save", "demo"], USAGE, "needs more"),
    "too many words": (["status", "demo"], USAGE, "too many"),
    "an option of another command": (["reload", "--json"], USAGE, "not for this command"),
}


@suite.table(list(REFUSED), lambda name: f"refused in words: {name}")
def _(world, name):
    words, status, reason = REFUSED[name]
    with place.temporary_folder() as folder, session(world), session(world, world.users[1]):
        (folder / "there").write_bytes(b"")
        (folder / "folder").mkdir()
        before = sorted(os.listdir(folder))
        said = ask(world, *words, status=status, cwd=folder)
        check(reason in said, f"{said!r} does not say {reason!r}")
        equal(sorted(os.listdir(folder)), before, "files")


# Who may


@suite.case("no server, or one that is gone: said with what to do")
def _(world):
    with place.temporary_folder() as folder:
        gone = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gone.bind(str(folder / "gone"))
        gone.close()
        for path in (folder / "none", folder / "gone"):
            done = run([place.program("sallyport"), "--socket", path, "status"], check_status=False)
            equal(done.returncode, NO_SERVER, "exit status")
            check(b"is sallyportd running" in done.stderr, f"{done.stderr!r}")


@suite.case("the socket is for its owner, and its group if there is one")
def _(world):
    status = world.admin_socket.stat()
    equal(stat.S_IMODE(status.st_mode), 0o660 if os.geteuid() == 0 else 0o600, "mode")
    equal(status.st_uid, os.geteuid(), "owner")
    if os.geteuid() == 0:
        equal(status.st_gid, ADMINS, "group")


@suite.case("a second server for the same socket refuses to start, and the first one stays")
def _(world):
    words = ["--quick", "--listen", f"127.0.0.1:{server.free_port()}"]
    words += ["--admin-socket", world.admin_socket]
    done = run([place.program("sallyportd"), *words], check_status=False)
    equal(done.returncode, 1, "exit status")
    said = done.stderr.decode()
    check(str(world.admin_socket) in said and "another server" in said, f"{said!r}")
    ask(world, "status")


EACH_REQUEST = (["status"], ["sessions"], ["close", "1"], ["reload"], ["save", "demo", "-"])


def become(groups):
    return {"user": STRANGER, "group": STRANGER, "extra_groups": groups}


@suite.table(EACH_REQUEST, lambda words: f"{words[0]}: not for a stranger, even where the file lets him in")
def _(world, words):
    need_root("another user")
    world.expect('"request": "connect"')
    said = ask(world, *words, status=NO_PERMISSION, **become([]))
    check("no permission" in said, f"{said!r}")
    mode = stat.S_IMODE(world.admin_socket.stat().st_mode)
    world.admin_socket.chmod(0o666)
    try:
        said = ask(world, *words, status=NO_PERMISSION, **become([]))
    finally:
        world.admin_socket.chmod(mode)
    check("members of admin_group" in said, f"{said!r}")
    record = world.wait_record(event="administered", request="connect")
    equal((record["by_uid"], record["error"]), (STRANGER, 1), "by_uid and error")


@suite.case("a member of admin_group may")
def _(world):
    need_root("another user")
    ask(world, "status", **become([ADMINS]))


# Lies


@contextlib.contextmanager
def connected(world):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
        end.connect(str(world.admin_socket))
        end.settimeout(LIVENESS_S)
        yield end


def send_file(end):
    with open("/dev/null", "rb") as file:
        message = (9).to_bytes(4, "little") + bytes(4) + b"\4\0demo" + bytes(4)
        descriptors = array.array("i", [file.fileno()])
        end.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])


def never_read(end):
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(100_000):
            end.send(b"\1" + bytes(7))
        check(False, "every answer was kept for it")


TWICE = "two requests at a time"
LIES = {
    "garbage": lambda end: end.send(noise(1000)),
    "half a header": lambda end: end.send(b"\1\0"),
    "a message of the server": lambda end: end.send(b"\2" + bytes(40)),
    "a descriptor": send_file,
    "answers that it never reads": never_read,
    TWICE: lambda end: [end.send(b"\x08" + bytes(7)) for _ in range(2)],
}


@suite.table(list(LIES), lambda name: f"a liar ends alone: {name}")
def _(world, name):
    world.expect('"peer": "admin"')
    start = world.mark()
    with connected(world) as honest, connected(world) as liar:
        LIES[name](liar)
        while liar.recv(65536):
            pass
        honest.send(b"\1\0\0\0\7\0\0\0")
        equal(honest.recv(65536)[:8], b"\2\0\0\0\7\0\0\0", "the header of the answer")
        record = world.wait_record(start, event="malformed", peer="admin")
        equal(record["peer_pid"], os.getpid(), "peer_pid")
    if name == TWICE:
        wait_until(
            lambda: run(command(world, "reload"), check_status=False).returncode == 0,
            "the liar's reload is over, and another one too",
        )


@suite.case("a flood of connections is turned away, and does not keep the server from its work")
def _(world):
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(connected(world)) for _ in range(100)]
        wait_until(lambda: all(is_over(end) for end in ends[OF_USER_MAX:]), "the others are over")
        equal([is_over(end) for end in ends[:OF_USER_MAX]], [False] * OF_USER_MAX, "the first ones")
        with session(world) as control:
            control.store("STOR f", b"x")
            control.command("DELE f", 250)
        said = ask(world, "status", status=NOT_DONE)
        check("too many connections" in said, f"{said!r}")
    wait_until(
        lambda: run(command(world, "status"), check_status=False).returncode == 0, "it works again"
    )


def is_over(end):
    """All that was sent has been read, and nothing follows."""
    end.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while end.recv(65536):
            pass
        return True
    return False


@suite.case("every command is in the manual")
def _(_world):
    help_text = run([place.program("sallyport"), "--help"]).stdout.decode()
    commands = re.findall(r"^  ([a-z]+)", help_text, re.M)
    check(len(commands) >= 5, f"{help_text!r}")
    page = (place.TOP / "packaging/man/sallyport.8").read_text()
    for name in commands:
        check(f".It Cm {name}" in page, f"{name} is missing")
    for option in set(re.findall(r"--[a-z]+", help_text)):
        check(f"Fl Fl {option[2:]}" in page, f"{option} is missing")


if __name__ == "__main__":
    suite.main(fixture)
