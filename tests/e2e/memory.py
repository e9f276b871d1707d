#!/usr/bin/python3 -B
"""Files in memory: what they begin with, where they end, and bytes on their way (DECISIONS 14, 29).

What each operation does there is the contract's (tests/contract/); here it is the whole server.
"""

import contextlib
import io
import os
import signal
import tarfile

from harness import place, server
from harness.fixtures import noise
from harness.ftp import Control, log_in_again, session
from harness.launch import run
from harness.tap import AT_A_TIME, LIVENESS_S, Suite, check, equal, wait_until

suite = Suite()

BIG = 32 << 20
BLOCK = 4096


# Bytes on their way


def delete_and_store(control, content):
    control.command("DELE big", 250)
    control.store("STOR big", content)


def overwrite(control, content):
    control.store("STOR big", content)


def overwrite_in_place(control, content):
    control.command("REST 4096", 350)
    control.store("STOR big", content[4096:])


CHANGES = {
    "overwritten": overwrite,
    "deleted and made anew": delete_and_store,
    "overwritten in place": overwrite_in_place,
}


@suite.table(list(CHANGES), lambda name: f"a download that is read slowly, while its file is {name}")
def _(_nothing, name):
    old, new = noise(BIG), bytes(BIG)
    with server.quick(backend="memory") as world, session(world) as slow, session(world) as quick:
        quick.store("STOR big", old)
        with slow.data() as data:
            slow.command("RETR big", 150)
            got = data.socket.recv(1000)
            CHANGES[name](quick, new)
            for count in range(4):  # whatever was given back is used again
                quick.store(f"STOR other{count}", new)
                quick.command(f"DELE other{count}", 250)
            got += data.read()
            slow.reply(226)
        equal(quick.fetch("RETR big")[BLOCK:], new[BLOCK:], "afterwards")
    if CHANGES[name] is not overwrite_in_place:
        check(got == old, "other bytes than those that were there when it began")
        return
    check(got[:BLOCK] == old[:BLOCK], "other bytes than those that had been sent")
    odd = [at for block in range(0, BIG, BLOCK) for at in strange(got, old, new, block)]
    check(not odd, f"neither old nor new: {len(odd)} bytes from {odd[:1]} on")


def strange(got, old, new, block):
    """Where in that block there is neither one's byte nor the other's."""
    end = block + BLOCK
    if got[block:end] in (old[block:end], new[block:end]):
        return []
    return [at for at in range(block, end) if got[at] not in (old[at], new[at])]


# Where it ends


@suite.case("what does not fit is 452, leaves nothing, and takes no room from what does")
def _(_nothing):
    users = (("demo", None, "backend=memory memory_limit=1MiB"),)
    with server.configured(users=users) as world, session(world) as control:
        for _ in range(20):
            with control.data() as data:
                control.command("STOR big", 150)
                with contextlib.suppress(OSError):  # it hangs up when it is full
                    data.write(bytes(2 << 20))
                control.reply(452)
        equal(control.lines("NLST"), [], "names")
        control.store("STOR fits", noise(900_000))
        equal(control.fetch("RETR fits"), noise(900_000), "content")


# Every way to more bytes, where "part" holds 600,000 of 1 MiB.
WAYS_IN = {
    "STOR": ("STOR new",),
    "APPE": ("APPE part",),
    "STOU": ("STOU",),
    "REST and STOR": ("REST 600000", "STOR part"),
    "RANG and STOR": ("RANG 600000 1199999", "STOR part"),
    "RANG and APPE": ("RANG 600000 1199999", "APPE part"),
    "SITE COPY": ('SITE COPY "part" "new"',),
    "SITE CPFR and CPTO": ("SITE CPFR part", "SITE CPTO new"),
    "COMB": ("COMB part other",),
    "COMB into a new file": ("COMB new part other",),
}


@suite.table(list(WAYS_IN), lambda way: f"HOSTILE 24: no way past the limit by {way}")
def _(_nothing, way):
    users = (("demo", None, "backend=memory memory_limit=1MiB"),)
    with server.configured(users=users) as world, session(world) as control:
        control.store("STOR part", noise(600_000))
        if way.startswith("COMB"):
            control.store("STOR other", noise(300_000))
        before = control.lines("NLST")
        *first, last = WAYS_IN[way]
        for command in first:
            control.command(command, 350)
        with control.data() if way[:4] not in ("SITE", "COMB") else contextlib.nullcontext() as data:
            if data is None:
                control.command(last, 452)
            else:
                control.command(last, 150)
                with contextlib.suppress(OSError):  # it hangs up when it is full
                    data.write(noise(600_000))
                control.reply(452)
        equal(control.lines("NLST"), before, "what is there")
        sizes = [int(control.command(b"SIZE " + name, 213).text) for name in before]
        check(sum(sizes) <= 1 << 20, f"{sizes}")
        equal(control.fetch("RETR part")[:600_000], noise(600_000), "what was there before")


# What it begins with


def archive(path, format_, entries):
    """A tar archive of files, by name and content; surrogates are bytes that are no UTF-8."""
    with tarfile.open(
        path, "w:gz", format=format_, encoding="utf-8", errors="surrogateescape"
    ) as out:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 1_000_000_000
            out.addfile(entry, io.BytesIO(content))
    path.chmod(0o644)
    return path


ENTRIES = {"docs/readme": b"read me\n", "docs/\u00e4 b": b"odd\n", "docs/\udcfe": b"no UTF-8\n"}
FORMATS = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def expect_entries(control):
    names = sorted(b"docs/" + line.rpartition(b"/")[2] for line in control.lines("NLST docs"))
    equal(names, sorted(os.fsencode(name) for name in ENTRIES), "names")
    for name, content in ENTRIES.items():
        equal(control.fetch(b"RETR " + os.fsencode(name)), content, name)


@suite.table(list(FORMATS), lambda name: f"--load of a {name} archive: each user has a copy")
def _(_nothing, name):
    with place.temporary_folder() as folder:
        path = archive(folder / "a b:c.tar.gz", FORMATS[name], ENTRIES)
        before = path.read_bytes()
        options = ("--load", path, "--user", f"bob:{server.PASSWORD}")
        with server.quick(*options, backend="memory") as world:
            bob = place.User("bob", server.PASSWORD, folder / "unused")
            with session(world) as control:
                expect_entries(control)
                equal(control.command("MDTM docs/readme", 213).text, b"20010909014640")
                control.command("DELE docs/readme", 250)
            with session(world, bob) as control:
                expect_entries(control)
        equal(path.read_bytes(), before, "the archive")


@suite.case("--load of a folder; a process that died begins with it again")
def _(_nothing):
    with place.temporary_folder() as folder:
        for name, content in ENTRIES.items():
            file = folder / "tree" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        with server.quick("--load", folder / "tree", backend="memory") as world:
            with session(world) as control:
                expect_entries(control)
                control.store("STOR docs/readme", b"changed")
            world.expect('"process": "worker"')
            (worker,) = world.processes("worker")
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: worker not in world.processes("worker"), "the worker's end")
            log_in_again(world)
            with session(world) as control:
                expect_entries(control)


@suite.case("an archive that is cut short: no login, and the log names it and the reason")
def _(_nothing):
    with place.temporary_folder() as folder:
        path = archive(folder / "cut.tar.gz", tarfile.GNU_FORMAT, {"f": noise(100_000)})
        path.write_bytes(path.read_bytes()[:50_000])
        with server.quick("--load", path, backend="memory") as world:
            world.expect(r"cut\.tar\.gz: .*truncated gzip")
            with contextlib.suppress(EOFError):
                login = refused_login(world)
                check(login.code in (421, 530), f"{login}")
            world.wait_record(event="refused")


def refused_login(world):
    with Control(world.address) as control:
        control.reply(220)
        control.command(f"USER {world.user.name}", 331)
        return control.command(f"PASS {world.user.password}")


WRONG = {
    "nothing there": ["--load", "/nowhere/at/all"],
    "a device": ["--load", "/dev/null"],
}


@suite.table(list(WRONG), lambda name: f"--load with {name} is refused at the start")
def _(_nothing, name):
    command = [place.program("sallyportd"), "--quick", *WRONG[name]]
    done = run(command, LIVENESS_S, check_status=False)
    check(done.returncode > 0, f"exit status {done.returncode}")
    check(b"--load" in done.stderr, f"{done.stderr!r}")


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
