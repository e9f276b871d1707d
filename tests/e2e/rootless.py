#!/usr/bin/python3 -B
"""An ordinary user's daemon where no user namespace can be had, as in many containers: a worker has
no root of its own there, and Landlock and the way it resolves paths keep it in the user's home.

Refuses user namespaces to itself first, so that this is tried on any machine.
"""

import ctypes
import os
import sys

from harness import server
from harness.ftp import session
from harness.tap import Skip, Suite, check, equal

suite = Suite()

CLONE_NEWUSER = 0x10000000  # sched.h
ALREADY_REFUSED = "SALLYPORT_TEST_NO_USER_NAMESPACES"
OUTSIDE = "/etc/passwd"


def refuse_user_namespaces():
    """In a user namespace that allows no further ones; where none can be had, nothing is to do."""
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0:
        for name, text in (
            ("/proc/self/setgroups", "deny"),
            ("/proc/self/uid_map", f"{uid} {uid} 1"),
            ("/proc/self/gid_map", f"{gid} {gid} 1"),
            ("/proc/sys/user/max_user_namespaces", "0"),
        ):
            with open(name, "w") as file:
                file.write(text)
    os.execve(sys.argv[0], sys.argv, {**os.environ, ALREADY_REFUSED: "1"})


def world():
    if os.geteuid() == 0:
        raise Skip("an ordinary user, to whom user namespaces can be refused")
    return server.quick()


@suite.case("the worker says that it has no own root")
def _(world):
    with session(world):
        cage = world.wait_record(event="process_started", process="worker")["cage"]
    check("own root" not in cage, f"its cage: {cage}")
    check("files by Landlock" in cage, f"its cage: {cage}")


@suite.case("the user's root is the home, in every kind of operation")
def _(world):
    with session(world) as control:
        control.store("STOR file", b"content")
        equal(world.user.path("file").read_bytes(), b"content", "on disk")
        equal(control.fetch("RETR /file"), b"content", "fetched")
        control.command("MKD folder", 257)
        control.command("RNFR file", 350)
        control.command("RNTO folder/moved", 250)
        control.command("CWD folder", 250)
        names = [line.split(b" ")[-1] for line in control.lines("MLSD")]
        check(b"moved" in names, f"MLSD shows {names}")
        control.command("DELE /folder/moved", 250)
        control.command("CDUP", 250)
        control.command("RMD folder", 250)
    equal(os.listdir(world.user.home), [], "left in the home")


@suite.table(
    (OUTSIDE, f"/../../../..{OUTSIDE}", "absolute-link", "climbing-link", f"folder-link{OUTSIDE}"),
    lambda path: f"nothing outside is reached: {path}",
)
def _(world, path):
    links = {"absolute-link": OUTSIDE, "climbing-link": f"../../../../../..{OUTSIDE}", "folder-link": "/"}
    with session(world) as control:
        for name, target in links.items():
            os.symlink(target, world.user.path(name))
        control.command("TYPE I", 200)
        for verb in ("SIZE", "MDTM", "DELE", "MLST"):
            if "link" in path and verb in ("DELE", "MLST"):
                continue  # a link itself is the user's
            control.command(f"{verb} {path}", 550)
        with control.data():
            control.command(f"RETR {path}", 550)
        for name in links:
            world.user.path(name).unlink()


if __name__ == "__main__":
    if os.geteuid() != 0 and ALREADY_REFUSED not in os.environ:
        refuse_user_namespaces()
    suite.main(world)
