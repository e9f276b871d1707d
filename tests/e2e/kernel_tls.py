#!/usr/bin/python3 -B
"""kernel_tls = auto: the same downloads, whoever encrypts them, and a log that says who does.

Runs on every kernel. One without TLS shows the fall-back; tests/kernel_tls/run boots one that has
it, and there the same cases ask that the gateway carries no byte of a file, and that the kernel's
way of ending a stream cuts nothing off.

Sources: DESIGN §5, DECISIONS 37, RFC 8446 §6.1.
"""

import contextlib
import os
import pathlib
import select
import signal
import socket
import ssl

from harness import processes, server, tls
from harness.fixtures import noise
from harness.launch import Launched, run
from harness.place import temporary_folder
from harness.tap import LIVENESS_S, Failure, Suite, check, equal, need_root, wait_until

suite = Suite()

KIB = 1 << 10
BIG = noise(8 << 20)  # more than two kernels hold for a connection
SOME = BIG[: 1_000_000]
GATEWAY_GOAL_BYTES = 64 * KIB
MOVING_CALLS = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,splice,sendfile"


def kernel_has_tls():
    known = pathlib.Path("/proc/sys/net/ipv4/tcp_available_ulp")
    return known.exists() and "tls" in known.read_text().split()


HAS_TLS = kernel_has_tls()


class World:
    def __init__(self, running, folder):
        self.server, self.folder, self.user = running, folder, running.user


@contextlib.contextmanager
def serving():
    with temporary_folder() as folder:
        options = tls.options(*tls.make_certificate(folder), kernel_tls="auto")
        with server.configured(setting=server.SHA512_1000, gateways=1, **options) as running:
            tls.forgive_sanitizer(running)
            running.user.file("big", BIG)
            running.user.file("some", SOME)
            yield World(running, folder)


def kernel_connections():
    """How many connections the kernel has encrypted on so far; of a kernel that counts them."""
    path = pathlib.Path("/proc/net/tls_stat")
    if not path.exists():
        return 0
    counts = dict(line.split() for line in path.read_text().splitlines())
    return int(counts["TlsTxSw"]) + int(counts["TlsTxDevice"])


@contextlib.contextmanager
def encrypted_by_kernel(count):
    """So many connections are, where the kernel can; none where it cannot."""
    before = kernel_connections()
    yield
    equal(kernel_connections() - before, count if HAS_TLS else 0, "connections of kernel TLS")


def read_all(data):
    got = bytearray()
    while more := data.recv(64 * KIB):
        got += more
    return got


def read_to_end(data):
    """The content of a stream that must end with close_notify, and then with a FIN."""
    got = read_all(data)
    raw = data.unwrap()
    equal(raw.recv(1), b"", "behind close_notify")
    raw.close()
    return got


def expect_cut(data):
    """The rest of a stream that must not look whole."""
    try:
        read_all(data)
    except ssl.SSLError as error:
        equal(error.reason, "UNEXPECTED_EOF_WHILE_READING", "how it ended")
    except ConnectionResetError:
        pass
    else:
        raise Failure("a close_notify")
    data.close()


def begin(client, command):
    """A data connection whose receive buffer is small, its handshake done, nothing read."""
    host, port = client.makepasv()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    raw.settimeout(LIVENESS_S)
    raw.connect((host, port))
    check(client.sendcmd(command).startswith("150"), "no 150")
    return client.context.wrap_socket(raw, session=client.sock.session, suppress_ragged_eofs=False)


def still_works(client):
    data = begin(client, "RETR big")
    equal(read_to_end(data) == BIG, True, "content")
    equal(client.voidresp()[:3], "226", "reply")


@suite.case("the log says whether the kernel encrypts, and what to do where it does not")
def _(world):
    def lines():
        return [row for row in world.server.records() if row.get("text", "").startswith("kernel TLS")]

    said = wait_until(lines, "the log says something")
    equal(len(said), 1, f"lines {said}")
    equal(said[0]["severity"], "info", "severity")
    if HAS_TLS:
        check("is available" in said[0]["text"], said)
    else:
        check("not available" in said[0]["text"] and "modprobe tls" in said[0]["text"], said)


CURL_ROWS = [
    ("TLS 1.3", ()),
    ("TLS 1.2", ("--tls-max", "1.2")),
    ("AES-256, TLS 1.3", ("--tls13-ciphers", "TLS_AES_256_GCM_SHA384")),
    ("AES-128, TLS 1.3", ("--tls13-ciphers", "TLS_AES_128_GCM_SHA256")),
    ("ChaCha20, TLS 1.3", ("--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256")),
]


@suite.table(CURL_ROWS, lambda row: f"curl, {row[0]}: three downloads in one session")
def _(world, row):
    login = f"{world.user.name}:{world.user.password}"
    url = "ftp://{}:{}/some".format(*world.server.address)
    with encrypted_by_kernel(3):
        got = run(["curl", "-sS", "-k", "--ssl-reqd", "--user", login, *row[1], url, url, url]).stdout
    equal(got == SOME * 3, True, "content")


@suite.case("uploads and listings are libssl's")
def _(world):
    with tls.Client(world.server) as client, encrypted_by_kernel(0):
        with open(world.user.path("big"), "rb") as file:
            client.storbinary("STOR up", file)
        check("up" in client.nlst(), "not listed")
    equal(world.user.path("up").read_bytes() == BIG, True, "what arrived")


@suite.table(
    [b"", b"x", b"line\n" * 5000], lambda content: f"{len(content)} bytes, as image, ASCII and from an offset"
)
def _(world, content):
    world.user.file("small", content)
    with tls.Client(world.server) as client, encrypted_by_kernel(3):
        for kind, rest, wanted in (
            ("I", 0, content),
            ("A", 0, content.replace(b"\n", b"\r\n")),
            ("I", len(content) // 2, content[len(content) // 2 :]),
        ):
            client.voidcmd(f"TYPE {kind}")
            equal(client.sendcmd(f"REST {rest}")[:3], "350", "REST")
            data = begin(client, "RETR small")
            equal(read_to_end(data), wanted, f"TYPE {kind} from {rest}")
            equal(client.voidresp()[:3], "226", "reply")


def read_until_replied(client, data):
    """As little as it takes until the server has got rid of everything: what was read."""
    got = bytearray()
    while not client.sock.pending() and not select.select([client.sock], [], [], 0)[0]:
        got += data.recv(4 * KIB)
    equal(client.voidresp()[:3], "226", "reply")
    return got


@suite.table(range(0, 500, 99), lambda more: f"what the kernel still keeps at the 226 arrives: 6 MiB and {more} KiB")
def _(world, more):
    content = BIG[: 6 * KIB * KIB + more * KIB + more]
    world.user.file("kept", content)
    with tls.Client(world.server) as client, encrypted_by_kernel(1):
        client.voidcmd("TYPE I")
        data = begin(client, "RETR kept")
        got = read_until_replied(client, data)
        check(len(got) < len(content), "nothing was kept")
        got += read_to_end(data)
    equal(got == content, True, "content")


@suite.case("ABOR: 426 and 226, the stream ends without close_notify, the next one works")
def _(world):
    with tls.Client(world.server) as client:
        client.voidcmd("TYPE I")
        data = begin(client, "RETR big")
        check(len(data.recv(4 * KIB)) > 0, "nothing came")
        client.putcmd("ABOR")
        equal(tls.final_reply(client)[:3], "426", "the transfer's reply")
        equal(tls.final_reply(client)[:3], "226", "ABOR's reply")
        expect_cut(data)
        still_works(client)


@suite.case("a client that vanishes ends the transfer, and one that will send nothing more does not")
def _(world):
    with tls.Client(world.server) as client:
        client.voidcmd("TYPE I")
        data = begin(client, "RETR big")
        data.recv(4 * KIB)
        data.close()
        check(tls.final_reply(client)[:1] in "45", "no failure")
        data = begin(client, "RETR big")
        socket.socket(fileno=os.dup(data.fileno())).shutdown(socket.SHUT_WR)
        equal(read_all(data) == BIG, True, "content")
        data.close()
        equal(client.voidresp()[:3], "226", "reply")


@suite.case("a worker that is killed: 451, no close_notify, the next one works")
def _(world):
    world.server.expect('"process": "worker"')
    with tls.Client(world.server) as client:
        client.voidcmd("TYPE I")
        data = begin(client, "RETR big")
        check(len(data.recv(4 * KIB)) > 0, "nothing came")
        os.kill(world.server.processes("worker")[0], signal.SIGKILL)
        equal(tls.final_reply(client)[:3], "451", "reply")
        expect_cut(data)
        still_works(client)


@suite.case("active mode")
def _(world):
    with tls.Client(world.server) as client, encrypted_by_kernel(1):
        client.set_pasv(False)
        got = bytearray()
        client.retrbinary("RETR big", got.extend)
    equal(got == BIG, True, "content")


@suite.case("a connection that resumes nothing is 522, and gets no byte")
def _(world):
    with tls.Client(world.server, reuses=False) as client:
        client.voidcmd("TYPE I")
        data, _ = client.ntransfercmd("RETR big")
        with contextlib.suppress(OSError):
            equal(data.recv(1), b"", "what came")
        data.close()
        equal(tls.final_reply(client)[:3], "522", "reply")


def moved_bytes(trace):
    """The sum of what the calls of an strace output returned."""
    ends = (line.rpartition("= ")[2] for line in trace.read_text(errors="replace").splitlines())
    return sum(int(end) for end in ends if end.isdigit())


@suite.case("no byte of a file comes by the gateway; without the kernel's help each does")
def _(world):
    need_root("tracing a process that is not dumpable")
    trace = world.folder / "trace"
    (gateway,) = world.server.processes("gateway")
    calls = f"trace={MOVING_CALLS}"
    with tls.Client(world.server) as client:
        client.voidcmd("TYPE I")
        tracer = Launched(["strace", "-o", trace, "-e", "signal=none", "-e", calls, "-p", str(gateway)])
        wait_until(lambda: processes.status(gateway)["TracerPid"] != ["0"], "the tracer")
        for _ in range(4):
            still_works(client)
        tracer.stop(signal.SIGINT)
    moved = moved_bytes(trace)
    print(f"# {moved:,} bytes for {4 * len(BIG):,}")
    if HAS_TLS:
        check(0 < moved < GATEWAY_GOAL_BYTES, f"{moved} bytes")
    else:
        check(moved > 2 * 4 * len(BIG), f"{moved} bytes")


suite.main(serving)
