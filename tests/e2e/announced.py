#!/usr/bin/python3 -B
"""What PASV announces: an address for each network of clients, or what a host's name stands for.

Names are looked up in a hosts file of our own, which takes the place of the machine's in a mount
namespace of this program.
"""

import contextlib
import ctypes
import os
import pathlib
import signal
import tempfile

from harness import server
from harness.ftp import passive_address, session
from harness.tap import Skip, Suite, check, equal, wait_until

suite = Suite()

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000  # sched.h
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000  # sys/mount.h
libc = ctypes.CDLL(None, use_errno=True)


class Names:
    """The hosts file that programs under test see; None of it where no namespace can be had."""

    def __init__(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-names-"))
        folder.chmod(0o755)
        self.hosts, switch = folder / "hosts", folder / "nsswitch.conf"
        switch.write_text("passwd: files\ngroup: files\nhosts: files\n")
        self.say()
        self.works = enter_namespace() and all(
            mount(file, f"/etc/{file.name}", MS_BIND) for file in (self.hosts, switch)
        )

    def say(self, **addresses):
        """Host names without a dot and their addresses, and nothing else."""
        lines = "".join(f"{address} {name}.test\n" for name, address in addresses.items())
        self.hosts.write_text(f"127.0.0.1 localhost\n{lines}")
        self.hosts.chmod(0o644)

    def need(self):
        if not self.works:
            raise Skip("a mount namespace")


def enter_namespace():
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if uid != 0 else 0)) != 0:
        return False
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            pathlib.Path(f"/proc/self/{name}").write_text(text)
    return mount(None, "/", MS_REC | MS_PRIVATE)


def mount(source, target, flags):
    encode = lambda path: path and os.fsencode(path)  # noqa: E731
    return libc.mount(encode(source), encode(target), None, flags, None) == 0


def announced(control):
    return passive_address(control, "PASV")[0]


def rules(*texts):
    return server.braces(texts)


@suite.case("the first rule for the client's network holds; without one, the address reached")
def _(_names):
    networks = rules("127.0.0.2/32=192.0.2.2", "127.0.0.4/30=192.0.2.4", "127.0.0.0/29=192.0.2.8")
    with server.configured(passive_address=networks) as world:
        wanted = {"127.0.0.1": 8, "127.0.0.2": 2, "127.0.0.4": 4, "127.0.0.7": 4, "127.0.0.8": None}
        for source, number in wanted.items():
            with session(world, source=source) as control:
                equal(announced(control), f"192.0.2.{number}" if number else "127.0.0.1", source)
                check(b"192.0.2" not in control.command("EPSV", 229).text, "an address in 229")


@suite.case("a rule for everybody")
def _(_names):
    with server.configured(passive_address='"192.0.2.9"') as world, session(world) as control:
        equal(announced(control), "192.0.2.9")


@suite.case("a quick start's rule")
def _(_names):
    with server.quick("--passive-address", "192.0.2.9") as world, session(world) as control:
        equal(announced(control), "192.0.2.9")


@suite.case("a name is looked up before the server is ready, and again; who is there is told")
def _(names):
    names.need()
    names.say(ftp="192.0.2.7")
    networks = rules("127.0.0.2=192.0.2.2", "ftp.test")
    with server.configured(passive_address=networks, passive_address_refresh="1s") as world:
        with session(world) as control, session(world, source="127.0.0.2") as other:
            equal(announced(control), "192.0.2.7")
            equal(announced(other), "192.0.2.2")
            names.say(ftp="192.0.2.8")
            wait_until(lambda: announced(control) == "192.0.2.8", "the other address")
            equal(announced(other), "192.0.2.2")
        for number in (7, 8):
            world.wait_record(event="notice", text=f"passive_address: ftp.test is 192.0.2.{number}")


@suite.case("a name that stands for nothing any more keeps its address, and is in the log once")
def _(names):
    names.need()
    names.say(ftp="192.0.2.7")
    with server.configured(
        passive_address="ftp.test", passive_address_refresh="1s"
    ) as world, session(world) as control:
        world.expect("passive_address: ftp.test cannot be looked up")
        names.say()
        start = world.mark()
        warned = world.wait_record(start, event="notice", severity="warning")
        check("192.0.2.7 is announced" in warned["text"], f"{warned}")
        for _ in range(2):  # times that it is looked up in vain
            start = world.mark()
            world.wait_record(start, event="process_ended", process="resolver")
        equal(announced(control), "192.0.2.7")
        names.say(ftp="192.0.2.9")
        wait_until(lambda: announced(control) == "192.0.2.9", "the name is back")
        warnings = [row for row in world.records() if row.get("severity") == "warning"]
        equal(len(warnings), 1, f"warnings in {warnings}")


@suite.case("a name that nobody knows at the start: the address reached, and the log says so")
def _(names):
    names.need()
    names.say()
    with server.configured(passive_address="ftp.test") as world, session(world) as control:
        world.expect("passive_address: ftp.test cannot be looked up")
        equal(announced(control), "127.0.0.1")


@suite.case("reload: other rules reach sessions that are there, a mistake changes nothing")
def _(names):
    names.need()
    names.say(ftp="192.0.2.7", www="192.0.2.10")
    with server.configured(passive_address="ftp.test") as world, session(world) as control:
        equal(announced(control), "192.0.2.7")
        for rule, address in (("www.test", "192.0.2.10"), ("192.0.2.11", "192.0.2.11")):
            reload_with(world, f"passive_address = {rule}\n")
            wait_until(lambda wanted=address: announced(control) == wanted, rule)
        world.expect("configuration refused")
        start = world.mark()
        reload_with(world, "passive_address = 256.1.1.1\n")
        world.wait_record(start, event="notice", severity="error")
        equal(announced(control), "192.0.2.11")


def reload_with(world, line):
    """SIGHUP with that line in the place of the one for the same option."""
    path = pathlib.Path(world.launched.arguments[-1])
    kept = [row for row in path.read_text().splitlines() if row.split()[0] != line.split()[0]]
    path.write_text("\n".join([*kept, line]))
    os.kill(world.pid, signal.SIGHUP)


@suite.case("whoever looks names up is gone afterwards, and was no more than a gateway")
def _(names):
    names.need()
    names.say(ftp="192.0.2.7")
    with server.configured(passive_address="ftp.test") as world:
        equal(world.processes("resolver"), [], "resolvers")
        ended = [row for row in world.records() if row.get("process") == "resolver"]
        equal([row["severity"] for row in ended], ["info"], "its end")


if __name__ == "__main__":
    suite.main(lambda: contextlib.nullcontext(Names()))
