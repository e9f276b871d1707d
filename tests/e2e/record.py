#!/usr/bin/python3 -B
"""The record: who did what, when, from where, and did it work - tied together by one session id.

What its lines hold is declared in ipc/event.def; what a reader of the log relies on is tested here.
"""

import datetime
import errno
import json
import os
import re
import stat

from harness import place, server
from harness.fixtures import noise
from harness.ftp import Control, session
from harness.tap import Suite, check, equal, need_root, wait_until

suite = Suite()

BIG = 64 << 20


def story(world, start):
    """The lines of the session that connected after that mark, up to its last one."""
    first = world.wait_record(start, event="connected")
    world.wait_record(start, event="session_ended", session=first["session"])
    world.wait_record(start, event="disconnected", session=first["session"])
    return [row for row in world.records() if row.get("session") == first["session"]]


def only(rows, **fields):
    found = [row for row in rows if all(row.get(key) == value for key, value in fields.items())]
    equal(len(found), 1, f"lines with {fields} in {rows}")
    return found[0]


@suite.case("one id ties connection, login, worker, operations, transfers and the end together")
def _(world):
    world.user.file("down", noise(123_456))
    start = world.mark()
    with session(world) as control:
        client = control.name
        control.fetch("RETR down")
        control.store("STOR up", noise(654_321))
        control.command("MKD folder", 257)
        control.command("RNFR up", 350)
        control.command("RNTO folder/moved", 250)
        control.command("DELE folder/moved", 250)
        control.lines("LIST")
    rows = story(world, start)
    equal(only(rows, event="connected")["peer"], client, "peer")
    login = only(rows, event="login")
    equal((login["name"], login["verdict"]), (world.user.name, "accepted"), "login")
    attached = only(rows, event="attached")
    wanted = (world.user.name, world.user.uid, client)
    equal((attached["account"], attached["uid"], attached["peer"]), wanted, "attached")
    download = only(rows, event="transfer", name="send")
    equal((download["path"], download["bytes"], download["error"]), ("/down", 123_456, 0))
    upload = only(rows, event="transfer", name="receive")
    equal((upload["path"], upload["bytes"], upload["error"]), ("/up", 654_321, 0))
    check(download["duration_us"] > 0 and upload["duration_us"] > 0, "no duration")
    only(rows, event="operation", name="mkdir", path="/folder", error=0)
    only(rows, event="operation", name="rename", path="/up", destination="/folder/moved", error=0)
    only(rows, event="operation", name="unlink", path="/folder/moved", error=0)
    only(rows, event="transfer", name="send_listing", path="/", error=0)
    equal(only(rows, event="disconnected")["reason"], "quit", "reason")
    ended = only(rows, event="session_ended")
    equal(ended["received_bytes"], 654_321, "received_bytes")
    check(ended["sent_bytes"] >= 123_456, f"sent_bytes {ended['sent_bytes']}")
    for row in rows:
        if row["role"] == "worker":
            equal(row["user"], world.user.name, f"user of {row}")
        if row["event"] in ("operation", "transfer"):
            equal(row["peer"], client, f"peer of {row}")


@suite.case("what did not work is there as well, with its error")
def _(world):
    world.user.folder("full/inner")
    start = world.mark()
    with session(world) as control:
        control.command("DELE none", 550)
        control.command("RMD full", 550)
        control.command("MKD full", 550)
    rows = story(world, start)
    only(rows, event="operation", name="unlink", path="/none", error=errno.ENOENT)
    only(rows, event="operation", name="rmdir", path="/full", error=errno.ENOTEMPTY)
    only(rows, event="operation", name="mkdir", path="/full", error=errno.EEXIST)


@suite.case("a transfer cut short is recorded as that, with the bytes that went through")
def _(world):
    world.user.file("big", bytes(BIG))
    start = world.mark()
    with session(world) as control:
        with control.data() as data:
            control.command("RETR big", 150)
            data.socket.recv(1000)
            data.reset()
            control.reply(426)
        with control.data() as data:
            control.command("STOR half", 150)
            data.socket.sendall(bytes(1 << 20))
            control.command("ABOR", 426)
            control.reply(226)
    rows = story(world, start)
    cut = only(rows, event="transfer", name="send", path="/big")
    check(cut["error"] != 0 and 0 < cut["bytes"] < BIG, f"{cut}")
    aborted = only(rows, event="transfer", name="receive", path="/half")
    check(aborted["bytes"] <= 1 << 20, f"{aborted}")
    only(rows, event="operation", name="discard", path="/half", error=0)
    check(not [row for row in rows if row.get("name") == "commit"], "it was committed")


@suite.case("a failed login: the name as typed, the address, and never a password")
def _(world):
    start = world.mark()
    with Control(world.address, source="127.0.0.5") as control:
        control.reply(220)
        control.command("USER intruder", 331)
        control.command("PASS a-secret-word", 530)
    row = world.wait_record(start, event="login", name="intruder")
    equal((row["verdict"], row["peer"].split(":")[0]), ("refused", "127.0.0.5"), "verdict, peer")
    with session(world):
        pass
    for line in world.launched.output():
        for secret in ("a-secret-word", world.user.password):
            told = line[:1] != "{" and "ftp://" in line or "curl" in line  # the ready line's own
            check(told or secret not in line, f"a password in {line}")


@suite.case("a name in a line is its very bytes, and breaks neither the line nor a terminal")
def _(world):
    names = [
        b"esc\x1b[31m",
        b'quote"',
        b"back\\slash",
        b"\xff\xfe",
        "日本".encode(),
        b"%n%s",
        b"del\x7f",
    ]
    start = world.mark()
    with session(world) as control:
        for name in names:
            control.command(b"MKD " + name.replace(b"\xff", b"\xff\xff"), 257)
    rows = story(world, start)
    made = [os.fsencode(row["path"]) for row in rows if row.get("name") == "mkdir"]
    equal(made, [b"/" + name for name in names], "names")
    for line in world.launched.output("stdout"):
        check(all(32 <= ord(letter) != 127 for letter in line), f"control characters in {line!r}")


@suite.case("a path is recorded as it was used: absolute and folded")
def _(world):
    world.user.folder("a/b")
    start = world.mark()
    with session(world) as control:
        control.command("CWD a", 250)
        control.command("MKD ./b/..//c/", 257)
        control.command("DELE ../../../none", 550)
    rows = story(world, start)
    only(rows, event="operation", name="mkdir", path="/a/c", error=0)
    only(rows, event="operation", name="unlink", path="/none")


@suite.case("lines have a time, a writer and a sequence without gaps")
def _(world):
    with session(world) as control:
        for _ in range(20):
            control.command("SIZE none", 550)
    rows = world.records()
    check(len(rows) > 20, f"{len(rows)} lines")
    by_writer = {}
    for row in rows:
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", row["time"]), f"{row}")
        datetime.datetime.fromisoformat(row["time"].replace("Z", "+00:00"))
        by_writer.setdefault(row["writer"], []).append(row["sequence"])
    for writer, numbers in by_writer.items():
        equal(numbers, list(range(1, len(numbers) + 1)), f"sequence of writer {writer}")


@suite.case("two users at once: each line says whose it is")
def _(_world):
    users = (("ada", None, ""), ("bob", None, ""))
    with server.configured(users) as world:
        ada, bob = world.users
        with session(world, ada) as one, session(world, bob) as two:
            one.command("MKD by-ada", 257)
            two.command("MKD by-bob", 257)
        for name in ("ada", "bob"):
            row = world.wait_record(0, event="operation", name="mkdir", path=f"/by-{name}")
            equal(row["user"], name, "user")


@suite.case("log_directory: three files, owned by record's account, closed to others")
def _(_world):
    need_root("a folder of another account")
    with place.temporary_folder() as folder:
        logs = folder / "logs"
        logs.mkdir(mode=0o750)
        os.chown(logs, 9, 9)  # news, which stands in server.ACCOUNTS
        with server.configured(log_directory=logs) as world:
            with session(world) as control:
                control.store("STOR x", b"12345")
            transfers = logs / "transfer.jsonl"
            wait_until(lambda: transfers.read_text().count("\n") == 1, "the transfer's line")
            equal(json.loads(transfers.read_text())["bytes"], 5, "bytes")
            rows = [json.loads(row) for row in (logs / "audit.jsonl").read_text().splitlines()]
            check({"login", "attached", "operation"} <= {row["event"] for row in rows}, f"{rows}")
            rows = [json.loads(row) for row in (logs / "server.jsonl").read_text().splitlines()]
            check("process_started" in {row["event"] for row in rows}, f"{rows}")
            for path in logs.iterdir():
                state = path.stat()
                equal((state.st_uid, stat.S_IMODE(state.st_mode)), (9, 0o640), path.name)


if __name__ == "__main__":
    suite.main(server.quick)
