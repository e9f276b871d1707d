#!/usr/bin/python3 -B
"""Passive data connections: at which address, once, and until when; who is let in is in
strangers.py.

Sources: RFC 959 §4.1.2, RFC 2428; a pool of ports for each gateway.
"""

import contextlib
import socket

from harness import place, server
from harness.ftp import Control, knock, passive_address, session
from harness.tap import LIVENESS_S, Suite, check, equal, need_root

suite = Suite()

@suite.case("227 tells the control connection's own address")
def _(world):
    with session(world) as control:
        equal(passive_address(control, "PASV")[0], "127.0.0.1")


@suite.case("PASV on IPv6 is 425 and the session goes on with EPSV")
def _(world):
    server.need_ipv6(world)
    world.user.file("file", b"content")
    with session(world, address=world.address6) as control:
        check(b"EPSV" in control.command("PASV", 425).text, "no hint at EPSV")
        equal(control.fetch("RETR file", "EPSV"), b"content")
        control.command("EPSV 2", 229)
        control.command("EPSV 1", 522)


@suite.case("EPSV over IPv6: store, fetch, list")
def _(world):
    server.need_ipv6(world)
    with session(world, address=world.address6) as control:
        for size in (0, 1, 1 << 20):
            control.store("STOR six", bytes(size), "EPSV")
            equal(len(control.fetch("RETR six", "EPSV")), size, "bytes")
        check(b"six" in control.fetch("NLST", "EPSV"), "not in NLST")


@suite.case("a data connection belongs to one command")
def _(world):
    world.user.file("file", b"content")
    with session(world) as control:
        equal(control.fetch("RETR file"), b"content")
        control.command("RETR file", 425, 503)


@suite.case("a second PASV takes the place of the first")
def _(world):
    world.user.file("file", b"content")
    with session(world) as control:
        for _ in range(20):
            old = passive_address(control, "PASV")
            new = passive_address(control, "PASV")
            if old != new:
                knock(old, "127.0.0.1").close()
            control.line("RETR file")
            with socket.create_connection(new, LIVENESS_S) as data:
                equal(data.recv(100), b"content")
            control.reply(150)
            control.reply(226)


@suite.case("more PASV than there are ports, and the descriptors are back")
def _(world):
    count = 3 * (world.passive[1] - world.passive[0] + 1)
    with session(world) as control:
        for _ in range(count):
            passive_address(control, "PASV")
        for _ in range(count // 4):
            control.fetch("NLST", "PASV")
    need_root("the server's descriptors are closed to others")

    def announce_and_leave():
        for _ in range(50):
            with Control(world.address) as control:
                control.login(world.user.name, world.user.password)
                passive_address(control, "PASV")

    announce_and_leave()
    before = world.idle_footprint().descriptors
    announce_and_leave()
    equal(world.idle_footprint().descriptors, before, "descriptors")


# A range smaller than a pool needs: it is shared, and used up soon by one address


@suite.case("a range of four ports: 425 once it is used up, and every session goes on")
def _(_world):
    with server.quick(passive=place.free_range(4)) as world, contextlib.ExitStack() as stack:
        world.user.file("file", b"content")
        mine = [stack.enter_context(session(world)) for _ in range(6)]
        codes = [control.command("PASV").code for control in mine]
        check(set(codes) == {227, 425} and codes.count(425) >= 2, f"PASV: {codes}")
        for control, code in zip(mine, codes):
            control.command("NOOP", 200)
            if code == 227:
                equal(control.fetch("RETR file", "PASV"), b"content")


if __name__ == "__main__":
    suite.main(server.quick)
