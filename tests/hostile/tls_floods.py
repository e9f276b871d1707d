#!/usr/bin/python3 -B
"""TLS clients that mean harm: floods of what TLS permits once, garbage, handshakes that stall or end
anywhere, uploads that do; and keys that is killed among them.

HOSTILE classes 5, 6, 29 and 37.
"""

import contextlib
import os
import signal
import socket
import ssl
import threading

from siege import MANY, Siege, besieged, check, equal, fresh, wait_until
from harness import tls
from harness.ftp import session
from harness.launch import run
from harness.place import program, temporary_folder
from harness.tap import LIVENESS_S

suite = Siege()

STALLED = 1000
HANDSHAKES = 60
SOME = b"x" * 300_000


@contextlib.contextmanager
def serving():
    with temporary_folder() as folder:
        options = tls.options(*tls.make_certificate(folder), tls_session_reuse="off")
        with besieged(max_connections_before_login=MANY, **options) as world:
            tls.forgive_sanitizer(world)
            yield world


def flood(world, how, port, version, act, count):
    """What tls_flood.c says of the connection afterwards."""
    done = run([program("tls_flood"), how, str(port), version, act, str(count)])
    return done.stdout.decode().strip()


@contextlib.contextmanager
def asked(world):
    """A socket on which the server awaits a handshake."""
    with socket.create_connection(world.address, LIVENESS_S) as raw:
        check(raw.recv(200).startswith(b"220"), "no greeting")
        raw.sendall(b"AUTH TLS\r\n")
        check(raw.recv(200).startswith(b"234"), "no 234")
        yield raw


def rest_of(raw):
    """All that the server still sends; it must end."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while more := raw.recv(4096):
            said += more
    return said


# After the handshake


@suite.table(["updates", "update-requests"], lambda act: f"HOSTILE 6: key updates ({act}): few are served")
def _(world, act):
    equal(flood(world, "explicit", world.address[1], "1.3", act, 20), "open")


@suite.table(
    [
        ("1.3", "updates", "flood"), ("1.3", "update-requests", "flood"), ("1.2", "hellos", "flood"),
        ("1.3", "hellos", "unexpected message"), ("1.2", "empty", "record too small"),
        ("1.3", "empty", "record too small"), ("1.2", "warnings", "too many warn alerts"),
        ("1.3", "warnings", "too many warn alerts"),
    ],
    lambda row: f"HOSTILE 6: 1,000 {row[1]} in TLS {row[0]} end the connection: {row[2]}",
)
def _(world, row):
    version, act, why = row
    start = world.mark()
    equal(flood(world, "explicit", world.address[1], version, act, 1000), "closed")
    told = world.wait_record(start, event="unsecured")
    equal(told["why"], why)
    world.wait_record(start, event="disconnected", session=told["session"], reason="tls-broken")


@suite.case("HOSTILE 6: one attempt to renegotiate costs keys nothing, and the session nothing")
def _(world):
    signed = world.processes("keys")
    start = world.mark()
    flood(world, "explicit", world.address[1], "1.2", "hellos", 1)
    told = world.wait_record(start, event="disconnected")
    equal(told["commands"], 2, "AUTH and NOOP")
    equal(world.processes("keys"), signed, "keys")


@suite.table(
    [(version, act) for version in ("1.2", "1.3") for act in ("garbage", "unknown", "noise")],
    lambda row: f"HOSTILE 6: {row[1]} behind the handshake, TLS {row[0]}: the end, and a line of why",
)
def _(world, row):
    start = world.mark()
    equal(flood(world, "explicit", world.address[1], *row, 1), "closed")
    world.wait_record(start, event="unsecured")


@suite.table(
    [("1.3", "updates"), ("1.3", "update-requests"), ("1.2", "hellos"), ("1.3", "empty"),
     ("1.3", "garbage")],
    lambda row: f"HOSTILE 6: 1,000 {row[1]} in an upload, TLS {row[0]}: it fails",
)
def _(world, row):
    with protected(world) as client:
        port = port_of(client)
        client.putcmd("STOR flooded")
        equal(flood(world, "direct", port, *row, 1000), "closed")
        final = client.getmultiline()
        final = client.getmultiline() if final[:1] == "1" else final
        check(final[:1] in "45", final)
        check(b"flooded" not in world.user.names(), "it is there")
        equal(client.voidcmd("NOOP")[:3], "200")


# Before the handshake is done


GARBAGE = {
    "a request of HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "zeros": b"\0" * 600,
    "a record of 65,535 bytes": b"\x16\x03\x01\xff\xff" + b"\1" * 100,
    "an empty record": b"\x16\x03\x01\0\0" * 50,
    "a hello of 16 MiB": b"\x16\x03\x01\x40\0\1\xff\xff\xff" + b"\0" * 16379,
    "a hello of SSL 2": b"\x80\x2e\1\0\2\0\x15\0\0\0\x10" + b"\1" * 37,
    "an alert": b"\x15\x03\x01\0\2\2\x28",
    "data before any handshake": b"\x17\x03\x03\0\5hello",
    "commands": b"USER demo\r\nPASS x\r\n",
}


@suite.table(list(GARBAGE), lambda name: f"HOSTILE 5: {name} instead of a hello: the end, no reply to it")
def _(world, name):
    start = world.mark()
    with asked(world) as raw:
        raw.sendall(GARBAGE[name])
        raw.shutdown(socket.SHUT_WR)
        said = rest_of(raw)
        check(said == b"" or said[:1] == b"\x15", said)  # an alert at most
    world.wait_record(start, event="unsecured")


def hello():
    """A ClientHello of Python's."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = tls.make_context().wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        half.do_handshake()
    return outgoing.read()


@suite.case("HOSTILE 6: half of a hello, cut at every byte")
def _(world):
    whole = hello()
    for length in range(len(whole) + 1):
        with asked(world) as raw:
            raw.sendall(whole[:length])


@suite.case("HOSTILE 29: 1,000 handshakes that stall, begun or not: others log in meanwhile")
def _(world):
    whole = hello()
    with contextlib.ExitStack() as stack:
        for number in range(STALLED):
            raw = stack.enter_context(asked(world))
            raw.sendall(whole[: number % len(whole)])
        for _ in range(3):
            with protected(world) as client:
                equal(client.voidcmd("NOOP")[:3], "200")
            with session(world) as control:
                control.command("NOOP", 200)


@suite.case("keys is killed three times while hands are shaken: each works or fails, none hangs")
def _(world):
    world.expect('"process": "keys"')
    outcomes = []

    def shake():
        for _ in range(HANDSHAKES // 4):
            try:
                with asked(world) as raw, tls.make_context().wrap_socket(raw) as secure:
                    secure.sendall(b"NOOP\r\n")
                    outcomes.append(secure.recv(200)[:3])
            except (ssl.SSLError, ConnectionError) as error:
                outcomes.append(type(error))

    threads = [threading.Thread(target=shake) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        start = world.mark()
        wait_until(lambda: world.processes("keys"), "keys")
        os.kill(world.processes("keys")[0], signal.SIGKILL)
        world.wait_record(start, event="process_started", process="keys")
    for thread in threads:
        thread.join()
    equal(len(outcomes), HANDSHAKES, "handshakes that have ended")
    check(all(outcome == b"200" or isinstance(outcome, type) for outcome in outcomes), outcomes)
    wait_until(lambda: can_shake(world), "a handshake with the last keys")


def can_shake(world):
    with contextlib.suppress(ssl.SSLError, ConnectionError), protected(world):
        return True
    return False


# Uploads


@contextlib.contextmanager
def protected(world):
    """A client who is logged in, its data protected."""
    with tls.Client(world) as client:
        client.voidcmd("TYPE I")
        yield client


def port_of(client):
    return int(client.sendcmd("EPSV").split("|")[3])


def cut_before(raw):
    pass


def cut_in_hello(raw):
    raw.sendall(hello()[:50])


def cut_in_handshake(raw):
    raw.sendall(hello())
    check(raw.recv(5), "no ServerHello")


def cut_after_handshake(raw):
    os.close(tls.make_context().wrap_socket(raw).detach())


def cut_in_record(raw):
    secure = tls.make_context().wrap_socket(raw)
    secure.sendall(SOME)
    plain = socket.socket(fileno=secure.detach())
    plain.sendall(b"\x17\x03\x03\x40\0half of a record")
    plain.close()


def cut_behind_data(raw):
    secure = tls.make_context().wrap_socket(raw)
    secure.sendall(SOME)
    socket.socket(fileno=secure.detach()).close()


def unfinished(user):
    """Uploads under way; one that has failed is gone a moment after its reply."""
    return [name for name in user.names() if name.startswith(b".sallyport-")]


STAGES = {
    "before its handshake": cut_before, "in its hello": cut_in_hello,
    "in its handshake": cut_in_handshake, "behind its handshake": cut_after_handshake,
    "in a record": cut_in_record, "behind a record": cut_behind_data,
}


@suite.table(list(STAGES), lambda stage: f"HOSTILE 37: an upload that is cut {stage} is none")
def _(world, stage):
    with protected(world) as client:
        port = port_of(client)
        client.putcmd("STOR cut")
        with socket.create_connection(("127.0.0.1", port), LIVENESS_S) as raw:
            STAGES[stage](raw)
        final = client.getmultiline()
        final = client.getmultiline() if final[:1] == "1" else final
        check(final[:1] in "45", final)
        check(b"cut" not in world.user.names(), "it is there")
        wait_until(lambda: not unfinished(world.user), f"left: {world.user.names()}")
        equal(client.voidcmd("NOOP")[:3], "200")


@suite.case("no harm is done to who comes in the clear, or stays connected without a word")
def _(world):
    with fresh(world) as control, asked(world) as raw:
        control.command("NOOP", 200)
        raw.close()


if __name__ == "__main__":
    suite.main(serving)
