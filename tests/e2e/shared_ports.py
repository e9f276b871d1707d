#!/usr/bin/python3 -B
"""Few passive ports for many clients: a container's, a firewall's.  They stay with the supervisor,
which tells clients at one port apart by their addresses.
"""

import contextlib
import os
import signal
import socket
import threading

from harness import place, server
from harness.fixtures import noise
from harness.ftp import Control, gets_nothing, passive_address, receive, session
from harness.tap import LIVENESS_S, Skip, Suite, check, equal, need_root, wait_until

suite = Suite()

CLIENTS = 200
GATEWAYS = 3
SOURCES = [f"127.0.{number // 250 + 1}.{number % 250 + 1}" for number in range(CLIENTS)]


def world(ports=1, **options):
    return server.configured(
        setting=server.SHA512_1000,
        passive=place.free_range(ports),
        gateways=GATEWAYS,
        max_sessions_per_user=CLIENTS,
        **options,
    )


def arrive(address, source="127.0.0.1"):
    return socket.create_connection(address, LIVENESS_S, (source, 0))


@suite.case(f"one port, {CLIENTS} clients with addresses of their own: all at once, all served")
def _(one_port):
    errors = []

    def work(control, source, number, barrier):
        try:
            address = passive_address(control, "EPSV" if number % 2 else "PASV")
            barrier.wait(LIVENESS_S)  # all wait at that port now
            body = receive(control, arrive(address, source), f"file{number}")
            equal(body, b"content of %d" % number, "content")
        except Exception as error:
            errors.append(f"{source}: {error!r}")

    with contextlib.ExitStack() as stack:
        controls = [stack.enter_context(session(one_port, source=source)) for source in SOURCES]
        for number in range(CLIENTS):
            one_port.user.file(f"file{number}", b"content of %d" % number)
        barrier = threading.Barrier(CLIENTS)
        threads = [
            threading.Thread(target=work, args=(control, source, number, barrier))
            for number, (control, source) in enumerate(zip(controls, SOURCES))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    equal(errors, [], "clients that were not served")
    equal(len(one_port.processes("gateway")), GATEWAYS, "gateways")


@suite.case("a client that has the only port already is told 425, until the port is free again")
def _(one_port):
    one_port.user.file("file", b"content")
    with session(one_port) as first, session(one_port) as second:
        address = passive_address(first, "PASV")
        second.command("PASV", 425)
        second.command("EPSV", 425)
        data = arrive(address)
        wait_until(lambda: second.command("PASV").code == 227, "the port, once it was reached")
        second.command("ABOR", 226)
        equal(receive(first, data, "file"), b"content")
        equal(second.fetch("RETR file"), b"content")
        for leave in (lambda: first.command("ABOR", 226), lambda: first.command("REIN", 220)):
            wait_until(lambda: first.command("PASV").code == 227, "the port")
            second.command("PASV", 425)
            leave()
            wait_until(lambda: second.command("PASV").code == 227, "the port that was left")
            second.command("ABOR", 226)
        first.command(f"USER {one_port.user.name}", 331)
        first.command(f"PASS {one_port.user.password}", 230)


@suite.case("a session that breaks off leaves its port")
def _(one_port):
    control = Control(one_port.address)
    control.login(one_port.user.name, one_port.user.password)
    passive_address(control, "PASV")
    with session(one_port) as other:
        other.command("PASV", 425)
        control.socket.close()
        wait_until(lambda: other.command("PASV").code == 227, "the port")


@suite.case("a gateway that dies leaves the ports of its sessions")
def _(_one_port):
    with world() as one_port, Control(one_port.address) as control:
        control.login(one_port.user.name, one_port.user.password)
        passive_address(control, "PASV")
        one_port.expect('"process": "gateway"|sallyport-gateway: signal 9')
        for pid in one_port.processes("gateway"):
            os.kill(pid, signal.SIGKILL)

        def has_port():
            with contextlib.suppress(Exception), session(one_port) as other:
                return other.command("PASV").code == 227

        wait_until(has_port, "the port")


@suite.case("a port that nobody comes to, and a transfer that nobody comes for, leave it")
def _(_one_port):
    with world(data_timeout='"1s"') as one_port:
        with session(one_port) as first, session(one_port) as second:
            passive_address(first, "PASV")
            second.command("PASV", 425)
            wait_until(lambda: second.command("PASV").code == 227, "the port")
            second.command("NLST", 425)
            equal(first.fetch("NLST"), b"", "nothing is there")


@suite.case("strangers at the port are sent away and the client is served")
def _(one_port):
    one_port.user.file("file", b"content")
    with session(one_port) as control:
        port = (control.socket.getpeername()[0], one_port.passive[0])
        gets_nothing(arrive(port))  # nobody has announced it
        for mode in ("PASV", "EPSV"):
            address = passive_address(control, mode)
            for _ in range(50):
                gets_nothing(arrive(address, "127.0.0.2"))
            gets_nothing(arrive(("127.0.0.3", address[1])))
            data = arrive(address)
            gets_nothing(arrive(address))  # the second, and nobody's
            equal(receive(control, data, "file"), b"content")
        gets_nothing(arrive(port))


@suite.case("uploads, downloads and listings, the client or the command first")
def _(one_port):
    body = noise(3 << 20)
    for address in (one_port.address, one_port.address6):
        if address is None:
            continue
        with session(one_port, address=address) as control:
            for mode in ("PASV", "EPSV") if address == one_port.address else ("EPSV",):
                control.store("STOR up", body, mode)
                check(control.fetch("RETR up", mode) == body, "content")
                equal(control.fetch("NLST up", mode), b"up\r\n")
                place_of_data = passive_address(control, mode)
                control.line("RETR up")
                with socket.create_connection(place_of_data, LIVENESS_S) as data:
                    got = b"".join(iter(lambda: data.recv(1 << 20), b""))
                control.reply(150)
                control.reply(226)
                check(got == body, "content, the command first")


@suite.case("IPv4 and IPv6 clients wait at one port, and neither is taken for the other")
def _(one_port):
    if not one_port.address6:
        raise Skip("[::1]")
    one_port.user.file("four", b"4")
    one_port.user.file("six", b"6")
    with session(one_port) as four, session(one_port, address=one_port.address6) as six:
        address4, address6 = passive_address(four, "EPSV"), passive_address(six, "EPSV")
        equal(address4[1], address6[1], "the port")
        data6, data4 = arrive(address6, "::1"), arrive(address4)
        equal(receive(four, data4, "four"), b"4")
        equal(receive(six, data6, "six"), b"6")


@suite.case("a port of the range that another program holds is left out, and the log says so")
def _(_one_port):
    passive = place.free_range(2)
    with socket.create_server(("0.0.0.0", passive[0])), server.quick(passive=passive) as two_ports:
        two_ports.expect("passive_ports: 1 of 2 are taken")
        two_ports.user.file("file", b"content")
        with session(two_ports) as control:
            for _ in range(4):
                equal(passive_address(control, "PASV")[1], passive[1], "the other port")
            equal(control.fetch("RETR file"), b"content")


@suite.case("descriptors are back")
def _(one_port):
    need_root("the server's descriptors are closed to others")

    def come_and_go():
        for number in range(30):
            with Control(one_port.address) as control:
                control.login(one_port.user.name, one_port.user.password)
                # The session before has left, and the server may not have heard of it yet.
                wait_until(lambda: control.command("PASV", 227, 425).code == 227, "the port")
                address = passive_address(control, "PASV")
                if number % 2:
                    arrive(address).close()

    come_and_go()
    before = one_port.idle_footprint().descriptors
    come_and_go()
    equal(one_port.idle_footprint().descriptors, before, "descriptors")


if __name__ == "__main__":
    suite.main(world)
