#!/usr/bin/python3 -B
"""Tenants apart: what a worker is to the kernel, and what one user can reach of another.

Needs root: two users with different uids.  The ordinary user's weaker walls are tested in tests/cage.
"""

import os

from harness import place, processes, server
from harness.ftp import Control, session
from harness.launch import run
from harness.tap import Suite, check, equal, need_root

suite = Suite()

ADA, BOB = 23101, 23102


def two_tenants():
    need_root("two users with different uids")
    return server.configured(
        (("ada", ADA, ""), ("bob", BOB, "groups=23200")), groups_allowed="{23200}"
    )


def worker_of(world, uid):
    found = [pid for pid in world.processes("worker") if status(pid)["Uid"][0] == str(uid)]
    equal(len(found), 1, f"workers with uid {uid}")
    return found[0]


def status(pid):
    return processes.status(pid)


@suite.case("each user's worker has that user's uid, gid and groups and no others")
def _(world):
    ada, bob = world.users
    with session(world, ada), session(world, bob):
        for uid, groups in ((ADA, []), (BOB, ["23200"])):
            state = status(worker_of(world, uid))
            equal(state["Uid"], [str(uid)] * 4, "Uid")
            equal(state["Gid"], [str(uid)] * 4, "Gid")
            check(set(state["Groups"]) <= {*groups, str(uid)}, f"Groups {state['Groups']}")
            check(set(groups) <= set(state["Groups"]), f"Groups {state['Groups']}")


@suite.table(
    ("worker", "gateway", "record", "auth"),
    lambda role: f"{role}: no capability, no new privileges, seccomp, in each thread",
)
def _(world, role):
    with session(world, world.users[0]):
        threads = [thread for pid in world.processes(role) for thread in processes.threads(pid)]
        check(len(threads) > (role == "worker"), f"{len(threads)} threads of {role}")
        for state in threads:
            for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                equal(int(state[field][0], 16), 0, f"{field} of {role}")
            equal(state["NoNewPrivs"], ["1"], f"NoNewPrivs of {role}")
            equal(state["Seccomp"], ["2"], f"Seccomp of {role}")
            check("0" not in state["Uid"] + state["Gid"], f"{role} runs as {state['Uid']}")


@suite.case("a worker's root is its user's home; a gateway's is an empty folder that is gone")
def _(world):
    ada = world.users[0]
    with session(world, ada):
        root = os.readlink(f"/proc/{worker_of(world, ADA)}/root")
        equal(root, str(ada.home), "the worker's root")
        for pid in world.processes("gateway"):
            equal(os.listdir(f"/proc/{pid}/root"), [], "in the gateway's root")


@suite.case("no process of ours is dumpable: its /proc belongs to root")
def _(world):
    with session(world, world.users[0]):
        for pid in world.processes():
            equal(os.stat(f"/proc/{pid}/environ").st_uid, 0, processes.role(pid))


@suite.case("a worker holds no descriptor but channels, its root and its own files")
def _(world):
    with session(world, world.users[0]) as control:
        control.lines("LIST")
        pid = worker_of(world, ADA)
        for number in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            allowed = (
                "socket:",
                "anon_inode:",
                "/dev/null",
                str(world.users[0].home),
                "/memfd:",
                "pipe:",
            )
            check(target.startswith(allowed), f"descriptor {number} is {target}")


@suite.case("neither sees the other's files, by any spelling or link")
def _(world):
    ada, bob = world.users
    bob.file("secret", b"of bob", mode=0o644)
    os.chmod(bob.home, 0o755)
    os.symlink(bob.home, ada.path("absolute"))
    os.symlink("../bob", ada.path("relative"))
    os.symlink("../bob/secret", ada.path("file"))
    with session(world, ada) as control:
        for path in (
            "absolute/secret",
            "relative/secret",
            "file",
            "../bob/secret",
            "/../bob/secret",
        ):
            for verb in ("RETR", "SIZE", "MDTM", "APPE"):
                control.command("EPSV", 229)
                control.command(f"{verb} {path}", 550, 553)
    equal(bob.names(), [b"secret"], "bob's names")
    equal(bob.path("secret").read_bytes(), b"of bob")


@suite.case("neither reads what the other's mode bits close, nor root's")
def _(world):
    ada = world.users[0]
    theirs = ada.file("theirs", b"x", mode=0o600)
    os.chown(theirs, BOB, BOB)
    roots = ada.file("roots", b"x", mode=0o600)
    os.chown(roots, 0, 0)
    with session(world, ada) as control:
        for name in ("theirs", "roots"):
            for verb in ("RETR", "APPE"):
                control.command("EPSV", 229)
                control.command(f"{verb} {name}", 550, 553)


@suite.case("files that a user stores are that user's")
def _(world):
    for user in world.users:
        with session(world, user) as control:
            control.store("STOR mine", b"x")
            control.command("MKD folder", 257)
        for name in ("mine", "folder"):
            state = user.path(name).stat()
            equal((state.st_uid, state.st_gid), (user.uid, user.uid), f"{user.name}'s {name}")
            equal(state.st_mode & 0o022, 0, f"writable for others: {name}")


@suite.case("a second session starts no process")
def _(world):
    ada = world.users[0]
    with session(world, ada):
        before = sorted(world.processes())
        with session(world, ada), session(world, ada):
            equal(sorted(world.processes()), before, "processes")
    with session(world, ada):
        equal(sorted(world.processes()), before, "processes at the next login")


@suite.case("rights of the users file hold: read and list only, one folder to create in")
def _(_world):
    words = "/=read+list /incoming=create"
    with server.configured((("shop", ADA, words),)) as world:
        user = world.user
        user.file("file", b"x")
        user.file("incoming/there", b"x")
        with session(world) as control:
            equal(control.fetch("RETR file"), b"x")
            for line in ("DELE file", "MKD new", "RMD incoming", "SIZE incoming/there"):
                control.command(line, 550)
            if control.command("RNFR file", 350, 550).code == 350:
                control.command("RNTO moved", 550, 553)
            for line in ("STOR file", "STOR new", "APPE file", "STOR incoming/there"):
                control.command("EPSV", 229)
                control.command(line, 550, 553)
            control.store("STOR incoming/new", b"left here")
            for line in (
                "RETR incoming/there",
                "RETR incoming/none",
                "LIST incoming",
                "CWD incoming/there",
                "CWD incoming/none",
            ):
                control.command("EPSV", 229)
                control.command(line, 550)
            control.command("CWD incoming", 250)
            control.store("STOR newer", b"left here, too")
            for line in ("LIST", "MLSD", "RETR new"):
                control.command("EPSV", 229)
                control.command(line, 550)
        equal(user.path("incoming/new").read_bytes(), b"left here")
        equal(user.path("file").read_bytes(), b"x")


BEYOND = {
    "a uid below uid_min": ("system", 33, ""),
    "a group that is not in groups_allowed": ("member", ADA, "groups=4"),
}


@suite.table(
    list(BEYOND),
    lambda name: f"an account with {name} is refused at its login, and the log says why",
)
def _(_world, name):
    with server.configured((BEYOND[name],)) as world, Control(world.address) as control:
        world.expect("account-not-allowed")
        control.reply(220)
        control.command(f"USER {world.user.name}", 331)
        control.command(f"PASS {world.user.password}", 530)
        equal(world.wait_record(event="refused")["why"], "account-not-allowed", "why")
        equal(world.processes("worker"), [], "workers")


@suite.case("a home outside roots is refused")
def _(_world):
    with server.configured((("demo", ADA, ""),), roots='{"/srv/elsewhere"}') as world:
        world.expect("account-not-allowed")
        with Control(world.address) as control:
            control.reply(220)
            control.command(f"USER {world.user.name}", 331)
            control.command(f"PASS {world.user.password}", 530)


@suite.case("a folder that is root's is refused, with the command that mends it")
def _(_world):
    with place.temporary_folder() as folder:
        port = server.free_port()
        arguments = [
            "--quick",
            "--root",
            folder,
            "--user",
            "demo:x",
            "--listen",
            f"127.0.0.1:{port}",
        ]
        done = run([place.program("sallyportd"), *arguments], check_status=False)
        said = (done.stdout + done.stderr).decode()
        check(done.returncode > 0 and "chown" in said and str(folder) in said, f"{said!r}")


if __name__ == "__main__":
    suite.main(two_tenants)
