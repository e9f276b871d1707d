#!/usr/bin/python3 -B
"""Behind a proxy that speaks the PROXY protocol, in both versions: who is taken for whom.

The proxy is 127.0.0.20 to clients and 127.0.0.21 to the server; clients are other addresses of
127.0.0.0/8, or whom a header names.
"""

import contextlib
import os
import signal
import socket

from harness import place, server
from harness.fixtures import noise
from harness.ftp import Control, gets_nothing, passive_address, receive, session
from harness.relay import SIGNATURE, Relay, local, nothing, unknown, version1, version2
from harness.tap import LIVENESS_S, Suite, check, equal, wait_until

suite = Suite()

PROXY, FRONT = "127.0.0.21", "127.0.0.20"
VERSIONS = {"1": version1, "2": version2}
CLIENT6 = ("2001:db8::7", 4000)


class World:
    """A server with a plain listener and one for proxies."""

    def __init__(self, running, port):
        self.server, self.proxied = running, ("127.0.0.1", port)
        self.user = running.user

    def relay(self, header=version2, **options):
        return Relay(self.proxied, header, **options)


@contextlib.contextmanager
def world(**options):
    port = server.free_port()
    settings = {"proxy_listen": f'"127.0.0.1:{port}"', "proxy_from": f"{PROXY}/32", "gateways": 2}
    with server.configured(setting=server.SHA512_1000, **{**settings, **options}) as running:
        yield World(running, port)


@contextlib.contextmanager
def through(proxied, relay, source="127.0.0.2"):
    with session(proxied.server, address=relay.address, source=source) as control:
        yield control


def data_address(control, mode="EPSV"):
    return "127.0.0.1", passive_address(control, mode)[1]


def arrive(address, source="127.0.0.2"):
    return socket.create_connection(address, LIVENESS_S, (source, 0))


def say(proxied, header, source=PROXY):
    """A connection from the proxy that begins with these bytes."""
    end = arrive(proxied.proxied, source)
    end.sendall(header)
    return end


@suite.table(VERSIONS, lambda version: f"version {version}: the client's address is in every line")
def _(proxied, version):
    start = proxied.server.mark()
    with proxied.relay(VERSIONS[version]) as relay, through(proxied, relay) as control:
        client = control.name
        control.command("MKD by-proxy-" + version, 257)
    log = proxied.server
    proxy = f"{PROXY}:"
    connected = log.wait_record(start, event="connected", peer=client)
    check(connected["proxy"].startswith(proxy), f"{connected}")
    attached = log.wait_record(start, event="attached", peer=client)
    check(attached["proxy"].startswith(proxy), f"{attached}")
    equal(log.wait_record(start, event="login", peer=client)["verdict"], "accepted")
    made = log.wait_record(start, event="operation", name="mkdir", peer=client)
    equal(made["claimed"], True, "that it is a claim")


@suite.case("who comes to the plain listener is who the kernel says, and no proxy is named")
def _(proxied):
    with session(proxied.server, source=PROXY) as control:
        peer = control.name
        control.command("MKD plain", 257)
    for event in ("connected", "attached"):
        equal(proxied.server.wait_record(event=event, peer=peer)["proxy"], "", "the proxy")
    made = proxied.server.wait_record(event="operation", name="mkdir", peer=peer)
    equal(made["claimed"], False, "a claim")


@suite.table(VERSIONS, lambda version: f"version {version}: passive data comes by the proxy, too")
def _(proxied, version):
    body = noise(1 << 20)
    with proxied.relay(VERSIONS[version]) as relay, through(proxied, relay) as control:
        for mode in ("PASV", "EPSV"):
            with Relay(data_address(control, mode), VERSIONS[version]) as data_relay:
                data = arrive(data_relay.address)
                control.line("STOR by-proxy")
                control.reply(150)
                data.sendall(body)
                data.close()
                control.reply(226)
            with Relay(data_address(control, mode), VERSIONS[version]) as data_relay:
                check(receive(control, arrive(data_relay.address), "by-proxy") == body, "content")
    equal(proxied.user.path("by-proxy").read_bytes(), body, "not a byte of a header in it")


@suite.case("PASV tells the address that the client reached at the proxy")
def _(proxied):
    with proxied.relay() as relay, through(proxied, relay) as control:
        equal(passive_address(control, "PASV")[0], FRONT)


@suite.case("passive_address is chosen by the client's address, not the proxy's")
def _(_proxied):
    rules = server.braces(["127.0.0.2/32=192.0.2.2", f"{PROXY}/32=192.0.2.21"])
    with world(passive_address=rules) as proxied:
        with proxied.relay() as relay, through(proxied, relay) as control:
            equal(passive_address(control, "PASV")[0], "192.0.2.2")


@suite.case("an IPv6 client by an IPv4 proxy: EPSV 2, no PASV")
def _(proxied):
    header = lambda client, reached: version2(CLIENT6, ("2001:db8::1", 21))  # noqa: E731
    with proxied.relay(header) as relay, through(proxied, relay) as control:
        check(b"EPSV" in control.command("PASV", 425).text, "no hint at EPSV")
        control.command("EPSV 1", 522)
        control.command("EPSV 2", 229)
        proxied.user.file("file", b"content")
        with Relay(data_address(control), header) as data_relay:
            equal(receive(control, arrive(data_relay.address), "file"), b"content")


@suite.case("data: another client of the proxy is sent away, and the right one served")
def _(proxied):
    proxied.user.file("secret", b"content")
    with proxied.relay() as relay, through(proxied, relay) as control:
        address = data_address(control)
        thieves = [
            say_to(address, version2(("127.0.0.3", 4000), (FRONT, 21))),  # by the proxy
            say_to(address, local()),  # the proxy itself
            say_to(address, b""),  # the proxy, which says nothing
            say_to(address, b"PROXY TCP4 what\r\n"),
            say_to(address, version2(("127.0.0.2", 4000), (FRONT, 21)), "127.0.0.2"),  # no proxy
        ]
        control.line("RETR secret")
        with say_to(address, version1(("127.0.0.2", 4000), (FRONT, 21))) as data:
            equal(data.recv(100), b"content")
        control.reply(150)
        control.reply(226)
        for thief in thieves:
            gets_nothing(thief)


def say_to(address, header, source=PROXY):
    end = arrive(address, source)
    end.sendall(header)
    return end


@suite.table(("PORT 127,0,0,2,100,100", "EPRT |1|127.0.0.2|40000|"), lambda line: f"{line}: 502")
def _(proxied, line):
    with proxied.relay() as relay, through(proxied, relay) as control:
        control.command(line, 502)
        control.command("NOOP", 200)


@suite.table((local, unknown), lambda header: f"{header.__name__}: the proxy is the client")
def _(proxied, header):
    proxied.user.file("file", b"content")
    with say(proxied, header()) as end, Control(proxied.proxied) as control:
        control.socket.close()
        control.socket = end
        control.login(proxied.user.name, proxied.user.password)
        proxy = f"{PROXY}:{end.getsockname()[1]}"
        attached = proxied.server.wait_record(event="attached", peer=proxy)
        equal(attached["proxy"], proxy, "the proxy")
        control.command("TYPE I", 200)
        equal(receive(control, say_to(data_address(control), header()), "file"), b"content")
        control.command("PORT 127,0,0,21,100,100", 502)
        control.command("QUIT", 221)


WRONG = {
    "nothing but FTP": b"USER demo\r\n",
    "HTTP": b"GET / HTTP/1.1\r\n",
    "version 1 without an end": b"PROXY TCP4 " + b"1" * 200,
    "version 1 with a bare line feed": b"PROXY TCP4 127.0.0.2 127.0.0.1 4000 21\n",
    "version 1 with a host name": b"PROXY TCP4 client 127.0.0.1 4000 21\r\n",
    "version 2 of another version": SIGNATURE + b"\x31\x11\0\x0c" + b"\x7f\0\0\2" * 3,
    "version 2 too long": SIGNATURE + b"\x21\x11\xff\xff",
    "version 2 cut by its length": SIGNATURE + b"\x21\x11\0\x08" + b"\x7f\0\0\2" * 3,
}


@suite.table(list(WRONG), lambda name: f"{name}: closed without a word, and counted")
def _(proxied, name):
    start = proxied.server.mark()
    gets_nothing(say(proxied, WRONG[name]))
    row = proxied.server.wait_record(start, event="turned_away", limit="proxy-header")
    check(row["peer"].startswith(f"{PROXY}:") and row["count"] >= 1, f"{row}")


@suite.case("who is no proxy is closed at once, header or not")
def _(proxied):
    start = proxied.server.mark()
    gets_nothing(say(proxied, version1(("127.0.0.2", 4000), (FRONT, 21)), "127.0.0.22"))
    row = proxied.server.wait_record(start, event="turned_away", limit="proxy-from")
    check(row["peer"].startswith("127.0.0.22:"), f"{row}")


@suite.case("a header at the plain listener is a command that nobody knows")
def _(proxied):
    with Control(proxied.server.address, source=PROXY) as control:
        control.reply(220)
        control.command("PROXY TCP4 127.0.0.2 127.0.0.1 4000 21", 500, 421)


@suite.case("in pieces, with what follows right behind it")
def _(proxied):
    header = version2(("127.0.0.2", 4000), (FRONT, 21), b"\x04\0\x64" + b"x" * 100)
    with arrive(proxied.proxied, PROXY) as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(header), 7):
            end.sendall(header[at : at + 7])
        end.sendall(b"NOOP\r\nQUIT\r\n")
        said = b"".join(iter(lambda: end.recv(4096), b""))
    equal([line[:4] for line in said.splitlines()], [b"220 ", b"200 ", b"221 "], "replies")


@suite.case("no header in login_timeout: closed; and a late one leaves no more time for the login")
def _(_proxied):
    with world(login_timeout='"1s"') as proxied:
        gets_nothing(say(proxied, b"PROXY TCP4 "))
        with arrive(proxied.proxied, PROXY) as end:
            said = b"".join(iter(lambda: end.recv(4096), b""))
            equal(said, b"", "for one who says nothing")
        with proxied.relay() as relay, Control(relay.address) as control:
            control.reply(220)
            control.reply(421)


@suite.case("limits by address count clients, not the proxy")
def _(_proxied):
    with world(max_sessions_per_address="2", gateways="1") as proxied:
        with contextlib.ExitStack() as stack:
            relay = stack.enter_context(proxied.relay())
            for source in ("127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3"):
                stack.enter_context(through(proxied, relay, source))
            with Control(relay.address, source="127.0.0.2") as control:
                control.reply(220)
                control.command(f"USER {proxied.user.name}", 331)
                control.command(f"PASS {proxied.user.password}", 421)
            stack.enter_context(through(proxied, relay, "127.0.0.4"))


@suite.case("1,000 connections of one client by the proxy do not keep another client out")
def _(proxied):
    with proxied.relay() as relay, contextlib.ExitStack() as stack:
        header = version2(("127.0.0.3", 4000), (FRONT, 21))
        crowd = [stack.enter_context(say(proxied, header)) for _ in range(1000)]
        with through(proxied, relay) as control:
            control.command("PWD", 257)
        told = sum(end.recv(4) == b"421 " for end in crowd)
        check(0 < told < 1000, f"{told} of 1000 were turned away with 421")


@suite.case("a single shared port: data by the proxy, one session after the other")
def _(_proxied):
    with world(passive=place.free_range(1)) as proxied, proxied.relay() as relay:
        proxied.user.file("file", b"content")
        with through(proxied, relay) as one, through(proxied, relay, "127.0.0.3") as other:
            address = data_address(one)
            other.command("EPSV", 425)  # the supervisor cannot tell them apart
            stranger = say_to(address, version2(("127.0.0.3", 4000), (FRONT, 21)))
            data = say_to(address, version2(("127.0.0.2", 4000), (FRONT, 21)))
            equal(receive(one, data, "file"), b"content")
            gets_nothing(stranger)
            wait_until(lambda: other.command("EPSV").code == 229, "the port")
            with session(proxied.server, source="127.0.0.4") as direct:
                equal(direct.fetch("RETR file"), b"content")


@suite.case("reload: a proxy that is none any more is closed from then on")
def _(_proxied):
    with world() as proxied:
        with proxied.relay() as relay, through(proxied, relay):
            pass
        path = proxied.server.launched.arguments[-1]
        text = open(path).read()
        with open(path, "w") as file:
            file.write(text.replace(f"proxy_from = {PROXY}/32", "proxy_from = 192.0.2.0/24"))
        start = proxied.server.mark()
        os.kill(proxied.server.pid, signal.SIGHUP)
        proxied.server.wait_record(start, event="notice", text="configuration loaded")
        start = proxied.server.mark()

        def is_refused():
            with say(proxied, nothing()):
                pass
            return [row for row in proxied.server.records() if row.get("limit") == "proxy-from"]

        wait_until(is_refused, "a proxy that is refused")


@suite.table(
    (
        ({"proxy_from": "{}"}, "proxy_from"),
        ({"proxy_listen": "{}"}, "proxy_from"),
        ({"proxy_from": "127.0.0.21/33"}, "proxy_from"),
        ({"proxy_listen": '"127.0.0.1:0"'}, "proxy_listen"),
    ),
    lambda row: f"{row[0]} is a mistake that prevents the start",
)
def _(_proxied, row):
    options, word = row
    try:
        with world(**options):
            raise AssertionError("it starts")
    except Exception as failure:
        check(word in str(failure) and "sallyport.conf" in str(failure), f"{failure}")


if __name__ == "__main__":
    suite.main(world)
