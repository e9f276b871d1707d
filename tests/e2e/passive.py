#!/usr/bin/python3 -B
"""Passive data connections: who is let in, on which port, once, and until when.

Sources: RFC 959 §4.1.2, RFC 2428, RFC 2577 §3; a pool of ports for each gateway.
"""

import contextlib
import socket

from harness import place, server
from harness.fixtures import noise
from harness.ftp import Control, passive_address, session
from harness.tap import LIVENESS_S, Skip, Suite, check, equal, need_root

suite = Suite()

THIEF = ("127.0.0.2", 0)


def need_ipv6(world):
    if not world.address6:
        raise Skip("[::1]")


def knock(address, source="127.0.0.2"):
    """A connection under way; more of them may come than a listener's queue takes."""
    end = socket.socket()
    end.bind((source, 0))
    end.setblocking(False)
    end.connect_ex(address)
    return end


def gets_nothing(end):
    """That connection is ended and not one byte came through it."""
    with end, contextlib.suppress(ConnectionResetError):
        end.settimeout(LIVENESS_S)
        equal(end.recv(1), b"", "bytes for the thief")


@suite.case("a thief from another address who is first gets nothing; the client is served")
def _(world):
    with session(world) as control:
        for mode in ("PASV", "EPSV"):
            for thief in served_in_spite_of(world, control, mode, 10):
                gets_nothing(thief)


@suite.case("more thieves than the queue takes: the client is served, they get nothing")
def _(world):
    with session(world) as control:
        for thief in served_in_spite_of(world, control, "PASV", 60):
            with thief, contextlib.suppress(
                OSError
            ):  # those that are still in the queue wait there
                equal(thief.recv(1), b"", "bytes for the thief")


def served_in_spite_of(world, control, mode, count):
    """A download although so many thieves came first; they."""
    world.user.file("secret", noise(100_000))
    address = passive_address(control, mode)
    thieves = [knock(address) for _ in range(count)]
    control.line("RETR secret")
    with socket.create_connection(address, LIVENESS_S) as data:
        body = b"".join(iter(lambda: data.recv(65536), b""))
    control.reply(150)
    control.reply(226)
    check(body == noise(100_000), f"the client got {len(body)} bytes")
    return thieves


@suite.case("a thief cannot upload in the client's place")
def _(world):
    with session(world) as control:
        address = passive_address(control, "PASV")
        with socket.create_connection(address, LIVENESS_S, THIEF) as thief:
            thief.sendall(b"forged")
            thief.shutdown(socket.SHUT_WR)
            control.line("STOR upload")
            with socket.create_connection(address, LIVENESS_S) as data:
                control.reply(150)
                data.sendall(b"genuine")
            control.reply(226)
        equal(control.fetch("RETR upload"), b"genuine")


@suite.case("who comes by another local address than the control connection's is not served")
def _(world):
    world.user.file("secret", b"content")
    with session(world) as control:
        port = passive_address(control, "PASV")[1]
        with contextlib.suppress(ConnectionRefusedError):
            stray = knock(("127.0.0.3", port), "127.0.0.1")
            control.line("RETR secret")
            with socket.create_connection(("127.0.0.1", port), LIVENESS_S) as data:
                equal(data.recv(100), b"content")
            control.reply(150)
            control.reply(226)
            gets_nothing(stray)


@suite.case("500 passive ports: in range, in no order")
def _(world):
    first, last = world.passive
    with session(world) as control:
        ports = [passive_address(control, "PASV")[1] for _ in range(500)]
    check(all(first <= port <= last for port in ports), f"outside {first}-{last}")
    steps = [b - a for a, b in zip(ports, ports[1:])]
    rising = sum(step > 0 for step in steps)
    check(150 < rising < 350, f"{rising} of 499 steps go up")
    near = sum(abs(step) <= 2 for step in steps)
    check(near < 50, f"{near} of 499 steps are of 2 or less")
    commonest = max(steps.count(step) for step in set(steps))
    check(commonest < 50, f"one step occurs {commonest} times")


@suite.case("227 tells the control connection's own address")
def _(world):
    with session(world) as control:
        equal(passive_address(control, "PASV")[0], "127.0.0.1")


@suite.case("PASV on IPv6 is 425 and the session goes on with EPSV")
def _(world):
    need_ipv6(world)
    world.user.file("file", b"content")
    with session(world, address=world.address6) as control:
        check(b"EPSV" in control.command("PASV", 425).text, "no hint at EPSV")
        equal(control.fetch("RETR file", "EPSV"), b"content")
        control.command("EPSV 2", 229)
        control.command("EPSV 1", 522)


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


@suite.case("who knocked before PASV is not taken for the client")
def _(world):
    world.user.file("file", b"content")
    first, last = world.passive
    knocks = [knock(("127.0.0.1", port), "127.0.0.1") for port in range(first, last + 1)]
    with session(world) as control:
        for _ in range(10):
            equal(control.fetch("RETR file", "PASV"), b"content")
    for end in knocks:
        end.close()


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
