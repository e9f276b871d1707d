#!/usr/bin/python3 -B
"""Active data connections; why nobody can be attacked through them is in strangers.py.

Sources: RFC 959 §4.1.2, RFC 2428.
"""

import contextlib
import os
import pathlib
import socket

from harness import server
from harness.fixtures import noise
from harness.ftp import MODES_4, MODES_6, eprt_command, port_command, refuses, session
from harness.tap import Failure, Suite, check, equal

suite = Suite()

CLIENT = "127.0.0.2"


@suite.table(("PORT", "EPRT"), lambda mode: f"{mode} over IPv4: store, fetch, list")
def _(world, mode):
    with session(world) as control:
        store_fetch_list(control, mode)


@suite.case("EPRT over IPv6: store, fetch, list")
def _(world):
    server.need_ipv6(world)
    with session(world, address=world.address6) as control:
        store_fetch_list(control, "EPRT")


def store_fetch_list(control, mode):
    for size in (0, 1, 1 << 20):
        control.store("STOR active", noise(size), mode)
        check(control.fetch("RETR active", mode) == noise(size), f"{size} bytes differ")
    check(b"active" in control.fetch("NLST", mode), "not in NLST")


@suite.case("PORT is 5xx on IPv6")
def _(world):
    server.need_ipv6(world)
    with session(world, address=world.address6) as control:
        refuses(control, port_command("127.0.0.1", 51200))
        refuses(control, eprt_command("127.0.0.1", 51200))


@suite.case("passive and active take turns in one session")
def _(world):
    world.user.file("file", b"content")
    with session(world) as control:
        for mode in MODES_4 * 5:
            equal(control.fetch("RETR file", mode), b"content", mode)
    if world.address6:
        with session(world, address=world.address6) as control:
            for mode in MODES_6 * 5:
                equal(control.fetch("RETR file", mode), b"content", mode)


@suite.case("nobody listens there: 425, and the session goes on")
def _(world):
    world.user.file("file", b"content")
    with session(world) as control:
        for verb in ("RETR file", "STOR new", "LIST"):
            with socket.create_server(("127.0.0.1", 0)) as closed:
                port = closed.getsockname()[1]
            control.command(port_command("127.0.0.1", port), 200)
            control.line(verb)
            codes = [control.reply().code]
            codes += [control.reply().code] if codes == [150] else []
            equal(codes[-1], 425, verb)
        check(b"new" not in world.user.names(), "an upload without data was kept")
        equal(control.fetch("RETR file", "PORT"), b"content")


@suite.case("a listener that never accepts does not hold anybody else")
def _(world):
    world.user.file("file", b"content")
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
    with session(world) as control, session(world) as other:
        control.command(port_command("127.0.0.1", full.getsockname()[1]), 200)
        control.line("RETR file")
        for mode in MODES_4:
            equal(other.fetch("RETR file", mode), b"content", mode)
        control.line("ABOR")
        codes = []
        while 226 not in codes:
            codes.append(control.reply(150, 425, 426, 226).code)
    for end in (full, *fillers):
        end.close()


@suite.case("the connection comes from the control connection's own address")
def _(world):
    world.user.file("file", b"content")
    with session(world, source=CLIENT) as control, control.data("PORT") as data:
        control.command("RETR file", 150)
        equal(data.socket.getpeername()[0], "127.0.0.1", "address")
        data.read()
        control.reply(226)


@suite.case("active_source_port: every connection comes from it, several at a time")
def _(_world):
    source = 20 if os.geteuid() == 0 else server.free_port()
    with server.configured(active_source_port=source) as world, contextlib.ExitStack() as stack:
        world.user.file("file", noise(5 << 20))
        addresses = (world.address, world.address6) if world.address6 else (world.address,)
        for address in addresses * 2:
            control = stack.enter_context(session(world, address=address))
            data = stack.enter_context(control.data("EPRT"))
            control.command("RETR file", 150)
            equal(data.socket.getpeername()[:2], (address[0], source), "where it comes from")
            stack.callback(control.reply, 226)
            stack.callback(data.read)


@suite.case("active_source_port: one that the server may not have is an error at the start")
def _(_world):
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        refused = [(taken.getsockname()[1], "another program holds")]
        if os.geteuid() != 0 and first_unprivileged_port() > 20:
            refused.append((20, "root"))
        for port, reason in refused:
            try:
                with server.configured(active_source_port=port):
                    raise AssertionError(f"it starts with port {port}")
            except Failure as failure:
                check(reason in str(failure), f"not said why: {failure}")


def first_unprivileged_port():
    return int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())


if __name__ == "__main__":
    suite.main(server.quick)
