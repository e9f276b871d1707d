#!/usr/bin/python3 -B
"""Strangers on the network against ports and slots: classes 1, 2, 3, 29 and 31 of hostile input.

Each case leaves the server as it was: it answers a login, no process of it died, and as root its
descriptors, and without a sanitizer its memory, are back to what they were.
"""

import contextlib
import os
import select
import socket

from harness import place, server
from harness.fixtures import noise
from harness.ftp import (
    eprt_command,
    gets_nothing,
    knock,
    log_in_again,
    passive_address,
    port_command,
    refuses,
    reset,
    session,
)
from harness.tap import LIVENESS_S, Suite, check, equal

suite = Suite()

CLIENT, VICTIM = "127.0.0.2", "127.0.0.1"
THIEF = "127.0.0.2"
# More after three times than after one: the gateways share a crowd by chance. Leaked sessions would be ten times that.
MEMORY_BYTES = 1 << 20


@contextlib.contextmanager
def unharmed(world):
    """What is done to the server has left no trace in it."""
    before = set(world.processes("gateway") + world.processes("auth") + world.processes("record"))
    log_in_again(world)
    descriptors = world.idle_footprint().descriptors if os.geteuid() == 0 else None
    yield
    log_in_again(world)
    check(before <= set(world.processes()), "a process died")
    if descriptors is not None:
        equal(world.idle_footprint().descriptors, descriptors, "descriptors")


def memory_is_back(world, attack):
    """Three times the same costs no more memory than once."""
    attack()
    if os.geteuid() != 0 or place.has_sanitizer():
        return
    once = world.idle_footprint().memory_bytes
    for _ in range(2):
        attack()
    more = world.idle_footprint().memory_bytes - once
    check(more <= MEMORY_BYTES, f"{more} bytes more after three times than after one")


# Bounce: CVE-1999-0017.  The client is 127.0.0.2; at the third host, a port must hear nothing.


FORMS = [
    lambda port: port_command(VICTIM, port),
    lambda port: eprt_command(VICTIM, port),
    lambda port: f"EPRT |2|::ffff:{VICTIM}|{port}|",
    lambda port: f"EPRT |1|::ffff:{VICTIM}|{port}|",
    lambda port: f"EPRT |2|::ffff:{CLIENT}|{port}|",
    lambda port: f"EPRT |2|::1|{port}|",
    lambda port: f"EPRT |2|::|{port}|",
    lambda port: f"EPRT |2|fe80::1|{port}|",
    lambda port: f"EPRT |2|fe80::1%lo|{port}|",
    lambda port: f"EPRT |1|127.1|{port}|",
    lambda port: f"EPRT |1|0x7f000001|{port}|",
    lambda port: port_command("0.0.0.0", port),
    lambda port: eprt_command("0.0.0.0", port),
    lambda port: port_command("255.255.255.255", port),
    lambda port: port_command("192.0.2.1", port),
    lambda port: port_command("127.0.0.0.2", port),
]


@suite.table(FORMS, lambda form: f"HOSTILE 1: {form(4711)} is refused, nobody is called")
def _(world, form):
    world.user.file("file", b"content")
    with socket.create_server((VICTIM, 0)) as victim, session(world, source=CLIENT) as control:
        refuses(control, form(victim.getsockname()[1]))
        control.command("RETR file", 425, 503)
        ready, _, _ = select.select([victim], [], [], 0)
        check(not ready, "the third host was called")


@suite.table(
    ("|1|127.0.0.1|{}|", "|2|::ffff:127.0.0.1|{}|", "|2|::|{}|", "|2|fe80::1|{}|", "|2|2001:db8::1|{}|"),
    lambda form: f"HOSTILE 1: EPRT {form.format(4711)} over IPv6 is refused, nobody is called",
)
def _(world, form):
    server.need_ipv6(world)
    world.user.file("file", b"content")
    with socket.create_server((VICTIM, 0)) as victim:
        with session(world, address=world.address6) as control:
            refuses(control, "EPRT " + form.format(victim.getsockname()[1]))
            refuses(control, port_command(VICTIM, victim.getsockname()[1]))
            control.command("RETR file", 425, 503)
        ready, _, _ = select.select([victim], [], [], 0)
        check(not ready, "the third host was called")


@suite.table((0, 1, 20, 22, 80, 1023), lambda port: f"HOSTILE 1: port {port} of one's own is refused")
def _(world, port):
    with session(world) as control:
        refuses(control, port_command("127.0.0.1", port))
        refuses(control, eprt_command("127.0.0.1", port))
        with contextlib.suppress(OverflowError):
            refuses(control, eprt_command("127.0.0.1", port + 65536))


@suite.case("HOSTILE 1: a hundred bounces leave no trace")
def _(world):
    with unharmed(world), session(world, source=CLIENT) as control:
        for _ in range(10):
            for form in FORMS[:10]:
                refuses(control, form(4711))


# Theft: CVE-1999-0351.  Somebody else comes to a passive port first.


def served_in_spite_of(world, control, mode, thieves):
    """A download although they were first; thieves(address) knocks."""
    world.user.file("secret", noise(100_000))
    address = passive_address(control, mode)
    ends = thieves(address)
    control.line("RETR secret")
    with socket.create_connection(address, LIVENESS_S) as data:
        body = b"".join(iter(lambda: data.recv(65536), b""))
    control.reply(150)
    control.reply(226)
    check(body == noise(100_000), f"the client got {len(body)} bytes")
    return ends


WORLDS = {"ports of its own": lambda world: contextlib.nullcontext(world),
          "a single shared port": lambda _: server.quick(passive=place.free_range(1))}


@suite.table(list(WORLDS), lambda kind: f"HOSTILE 2: {kind}: thieves first, and the client is served")
def _(world, kind):
    with WORLDS[kind](world) as here, unharmed(here), session(here) as control:
        for mode in ("PASV", "EPSV"):
            few = lambda address: [knock(address, THIEF) for _ in range(10)]  # noqa: E731
            for thief in served_in_spite_of(here, control, mode, few):
                gets_nothing(thief)
        many = lambda address: [knock(address, THIEF) for _ in range(200)]  # noqa: E731
        for thief in served_in_spite_of(here, control, "PASV", many):
            gets_nothing(thief, may_wait=True)


@suite.table(list(WORLDS), lambda kind: f"HOSTILE 2: {kind}: a thief of the other IP version")
def _(world, kind):
    server.need_ipv6(world)
    with WORLDS[kind](world) as here:
        with session(here, address=here.address6) as control:
            by4 = lambda address: [knock(("127.0.0.1", address[1]), "127.0.0.1")]  # noqa: E731
            for thief in served_in_spite_of(here, control, "EPSV", by4):
                gets_nothing(thief)
        with session(here) as control:
            by6 = lambda address: [knock(("::1", address[1]), "::1")]  # noqa: E731
            for thief in served_in_spite_of(here, control, "EPSV", by6):
                gets_nothing(thief)


@suite.table(list(WORLDS), lambda kind: f"HOSTILE 2: {kind}: no thief uploads in the client's place")
def _(world, kind):
    with WORLDS[kind](world) as here, session(here) as control:
        address = passive_address(control, "PASV")
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            with socket.create_connection(address, LIVENESS_S, (THIEF, 0)) as thief:
                thief.sendall(b"forged")
        control.line("STOR upload")
        with socket.create_connection(address, LIVENESS_S) as data:
            control.reply(150)
            data.sendall(b"genuine")
        control.reply(226)
        equal(control.fetch("RETR upload"), b"genuine")


@suite.table(list(WORLDS), lambda kind: f"HOSTILE 2: {kind}: by another address of the server")
def _(world, kind):
    with WORLDS[kind](world) as here, session(here) as control:
        stray = lambda address: [knock(("127.0.0.3", address[1]), "127.0.0.1")]  # noqa: E731
        for thief in served_in_spite_of(here, control, "PASV", stray):
            gets_nothing(thief)


@suite.case("HOSTILE 2: who knocked at every port before PASV is not taken for the client")
def _(world):
    world.user.file("file", b"content")
    first, last = world.passive
    knocks = [knock(("127.0.0.1", port), "127.0.0.1") for port in range(first, last + 1)]
    with session(world) as control:
        for _ in range(10):
            equal(control.fetch("RETR file", "PASV"), b"content")
    for end in knocks:
        end.close()


# Predictable ports


@suite.case("HOSTILE 3: 500 passive ports: in range, in no order")
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


# Slots: CVE-2020-35359, CVE-2021-30047


@suite.case("HOSTILE 29: 1,000 connections that never log in do not keep another address out")
def _(world):
    with unharmed(world):
        memory_is_back(world, lambda: crowd(world, 1000))


def crowd(world, count):
    with contextlib.ExitStack() as stack:
        ends = [
            stack.enter_context(socket.create_connection(world.address, LIVENESS_S))
            for _ in range(count)
        ]
        with session(world, source="127.0.0.2") as control:
            control.store("STOR through", b"x")
        told = sum(end.recv(4) == b"421 " for end in ends)
        check(0 < told < count, f"{told} of {count} were turned away with 421")


# Storms: CVE-2010-3494


@suite.case("HOSTILE 31: 10,000 connections that are reset at once")
def _(world):
    with unharmed(world):
        for _ in range(10_000):
            reset(socket.create_connection(world.address, LIVENESS_S))


@suite.case("HOSTILE 31: 1,000 data connections that are reset at once")
def _(world):
    world.user.file("file", b"content")
    with unharmed(world), session(world) as control:
        for number in range(1000):
            reset(socket.create_connection(passive_address(control, "EPSV"), LIVENESS_S))
            if number % 50 == 0:
                equal(control.fetch("RETR file"), b"content")


if __name__ == "__main__":
    suite.main(server.quick)
