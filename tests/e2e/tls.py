#!/usr/bin/python3 -B
"""FTPS: explicit and implicit TLS on control and data connections, what is refused, what is cut,
and the private key where it belongs.

Sources: RFC 4217, RFC 8446, DESIGN §5 and §6, and the classes 4 to 7, 36 and 37 of hostile input.
"""

import contextlib
import ftplib
import io
import os
import re
import shlex
import shutil
import signal
import socket
import ssl

from harness import processes, server, tls
from harness.fixtures import noise
from harness.ftp import Control
from harness.launch import run
from harness.place import temporary_folder
from harness.tap import LIVENESS_S, Failure, Suite, check, equal, need_root, wait_until

suite = Suite()

BIG = noise(8 << 20)
SOME = noise(100_000)


class World:
    """A server with TLS, explicit and implicit, and the folder of its certificate."""

    def __init__(self, running, folder, implicit):
        self.server, self.folder, self.implicit = running, folder, implicit
        self.user = running.user


@contextlib.contextmanager
def serving(**more):
    with temporary_folder() as folder:
        implicit = server.free_port()
        pair = tls.make_certificate(folder)
        options = tls.options(*pair, tls_listen=f'{{"127.0.0.1:{implicit}"}}', **more)
        users = (
            ("demo", None, ""),
            ("careful", None, "tls=required tls_data=required"),
            ("old", None, "tls_session_reuse=off tls_upload_end=lenient"),
            ("near", None, "tls_session_reuse=same-address"),
        )
        with server.configured(users, server.SHA512_1000, gateways=1, **options) as running:
            tls.forgive_sanitizer(running)
            yield World(running, folder, implicit)


def user_named(world, name):
    return next(user for user in world.server.users if user.name == name)


@contextlib.contextmanager
def secured(world, name=None):
    """A control connection under TLS, nobody logged in: harness.ftp.Control over it."""
    control = Control(world.server.address)
    control.reply(220)
    control.command("AUTH TLS", 234)
    control.socket = tls.context().wrap_socket(control.socket)
    with control:
        if name:
            person = user_named(world, name)
            control.command(f"USER {name}", 331)
            control.command(f"PASS {person.password}", 230)
        yield control


# Clients


def curl(world, url, *options):
    login = f"{world.user.name}:{world.user.password}"
    return run(["curl", "-sS", "-k", "--user", login, *options, url], cwd=world.folder).stdout


CURL_ROWS = [
    ("explicit, EPSV", ("--ssl-reqd",)),
    ("explicit, PASV", ("--ssl-reqd", "--disable-epsv")),
    ("explicit, TLS 1.2", ("--ssl-reqd", "--tls-max", "1.2")),
    ("data in the clear", ("--ssl-reqd", "--ftp-ssl-control")),
    ("implicit", ()),
]


@suite.table(CURL_ROWS, lambda row: f"curl, {row[0]}: there and back, several in one session")
def _(world, row):
    name, options = row
    port = world.implicit if name == "implicit" else world.server.address[1]
    url = f"{'ftps' if name == 'implicit' else 'ftp'}://127.0.0.1:{port}"
    content = BIG
    (world.folder / "up").write_bytes(content)
    curl(world, f"{url}/there", *options, "-T", "up")
    equal(world.user.path("there").read_bytes() == content, True, "what arrived")
    got = curl(world, f"{url}/there", *options, f"{url}/there")
    equal(got == content * 2, True, "what came back, twice")


@suite.case("lftp mirrors up and down, with data protected")
def _(world):
    tree = world.folder / "tree"
    for number in range(20):
        path = tree / f"d{number % 3}" / f"file {number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise(number * 5000))
    host, port = world.server.address
    script = (
        "set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; "
        f"open -u {world.user.name},'{world.user.password}' ftp://{host}:{port}; "
        "mirror -R --parallel=3 tree up; mirror --parallel=3 up back; bye"
    )
    run(["lftp", "-c", script], cwd=world.folder)
    for path in tree.rglob("file *"):
        there = world.folder / "back" / path.relative_to(tree)
        equal(there.read_bytes() == path.read_bytes(), True, path.name)
    shutil.rmtree(tree)


@suite.table([True, False], lambda passive: f"Python's client, {'passive' if passive else 'active'}")
def _(world, passive):
    with tls.Client(world.server) as client:
        client.set_pasv(passive)
        client.storbinary("STOR py", io.BytesIO(SOME))
        got = io.BytesIO()
        for _ in range(3):
            client.retrbinary("RETR py", got.write)
        equal(got.getvalue() == SOME * 3, True, "what came back")
        check("py" in client.nlst(), "not listed")


# Whose session it is


@suite.case("HOSTILE 7: a data connection that resumes nothing is 522, and costs the transfer alone")
def _(world):
    world.user.file("x", b"x" * 1000)
    with tls.Client(world.server, reuses=False) as client:
        equal(fetch(client)[:3], "522", "reply")
        equal(client.voidcmd("NOOP")[:3], "200", "afterwards")


@suite.table([True, False], lambda passive: f"HOSTILE 7: an upload that resumes nothing is none, {'passive' if passive else 'active'}")
def _(world, passive):
    before = world.user.names()
    with tls.Client(world.server, reuses=False) as client:
        client.set_pasv(passive)
        equal(store(client)[:3], "522", "reply")
        equal(client.voidcmd("NOOP")[:3], "200", "afterwards")
    wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")


def store(client):
    """STOR forged: the final reply."""
    return ended(client, lambda: client.storbinary("STOR forged", io.BytesIO(SOME)))


def fetch(client):
    """RETR x: the final reply."""
    return ended(client, lambda: client.retrbinary("RETR x", lambda _: None))


def ended(client, transfer):
    """The final reply of a transfer, whichever of the two connections tells first."""
    try:
        return transfer()
    except ftplib.Error as error:
        return str(error)
    except (ssl.SSLError, ConnectionError, EOFError):
        return tls.final_reply(client)


@suite.table(
    [("old", "226"), ("near", "522"), ("demo", "522")],
    lambda row: f"HOSTILE 7: another session's ticket, as {row[0]}",
)
def _(world, row):
    name, wanted = row
    person = user_named(world, name)
    person.file("x", b"x" * 1000)
    with tls.Client(world.server, user=person) as other:
        with tls.Client(world.server, resumes=other, user=person) as client:
            equal(fetch(client)[:3], wanted, "reply")


# What is refused


@suite.table(
    [
        ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True),
        ("-alpn ftp", True), ("-alpn http/1.1", False), ("-cipher AES128-SHA -tls1_2", False),
    ],
    lambda row: f"HOSTILE 5: s_client {row[0]}",
)
def _(world, row):
    options, works = row
    port = world.implicit
    done = run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options.split(), "-quiet"]
        + (["-cipher", "DEFAULT@SECLEVEL=0"] if options == "-tls1_1" else []),
        check_status=False, stdin=None, input=b"QUIT\r\n",
    )
    equal(b"220" in done.stdout, works, "greeting")


@suite.case("HOSTILE 4: what was pipelined in the clear behind AUTH is never run")
def _(world):
    with socket.create_connection(world.server.address, LIVENESS_S) as raw:
        check(raw.recv(200).startswith(b"220"), "no greeting")
        raw.sendall(b"AUTH TLS\r\nUSER demo\r\nNOOP\r\n")
        said = b""
        while more := raw.recv(4096):
            said += more
        check(said.startswith(b"234"), said)
        equal(said.count(b"\r\n"), 1, "replies in the clear")


@suite.case("HOSTILE 4: nor is it run, or answered, once the client's own handshake follows it")
def _(world):
    start = world.server.mark()
    with Control(world.server.address) as control:
        control.reply(220)
        name = world.server.wait_record(start, event="connected", peer=control.name)["session"]
        control.send(b"AUTH TLS\r\nUSER demo\r\n")
        control.reply(234)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            control.socket = tls.context().wrap_socket(control.socket)
            raise Failure(f"hands were shaken, and the session says {control.command('PASS x')}")
    told = world.server.wait_record(start, event="disconnected", session=name)
    equal(told["reason"], "plaintext-after-auth", "reason")


@suite.case("garbage instead of a hello ends that connection")
def _(world):
    with socket.create_connection(world.server.address, LIVENESS_S) as raw:
        raw.recv(200)
        raw.sendall(b"AUTH TLS\r\n")
        raw.recv(200)
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n" * 3)
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(4096):
                pass
    with secured(world, "demo") as control:
        control.command("NOOP", 200)


@suite.case("TLS is required of a careful user: 530 in the clear, 534 and 521 for data")
def _(world):
    person = user_named(world, "careful")
    with Control(world.server.address) as control:
        control.reply(220)
        control.command("USER careful", 331)
        control.command(f"PASS {person.password}", 530)
    with secured(world, "careful") as control:
        control.command("EPSV", 229)
        control.command("LIST", 521)


@suite.case("the order of AUTH, PBSZ and PROT; levels; FEAT")
def _(world):
    with Control(world.server.address) as control:
        control.reply(220)
        control.command("PBSZ 0", 503)
        control.command("PROT P", 503)
        control.command("AUTH KERBEROS_V4", 504)
    with secured(world) as control:
        control.command("AUTH TLS", 503)
        control.command("PROT P", 503)
        control.command("PBSZ zero", 501)
        equal(control.command("PBSZ 1048576", 200).text, b"PBSZ=0")
        control.command("PROT S", 536)
        control.command("PROT E", 536)
        control.command("PROT X", 504)
        control.command("PROT P", 200)
        control.command("PROT C", 200)
        lines = [line.strip() for line in control.command("FEAT", 211).lines]
        for line in (b"AUTH TLS", b"PBSZ", b"PROT"):
            check(line in lines, f"{line} not in FEAT")
        control.command("CCC", 530)
        person = user_named(world, "demo")
        control.command("USER demo", 331)
        control.command(f"PASS {person.password}", 230)
        control.command("CCC", 534)


@suite.case("REIN forgets the user and keeps the protection")
def _(world):
    person = user_named(world, "careful")
    with secured(world, "careful") as control:
        control.command("REIN", 220)
        control.command("PWD", 530)
        control.command("USER careful", 331)  # who must have TLS
        control.command(f"PASS {person.password}", 230)


@suite.case("tls_ccc: commands in the clear after a login, files as protected as before")
def _(_):
    with serving(tls_ccc="yes") as world:
        with secured(world, "demo") as control:
            control.command("CCC", 200)
            control.socket = control.socket.unwrap()
            control.command("PROT C", 503)
            control.command("PBSZ 0", 503)
            control.command("CCC", 503)
            control.command("PWD", 257)
        (world.folder / "up").write_bytes(SOME)
        url = f"ftp://127.0.0.1:{world.server.address[1]}/ccc"
        options = ("--ssl-reqd", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", "active")
        curl(world, url, *options, "-T", "up")
        equal(curl(world, url, *options) == SOME, True, "what came back")


# Ends


def store_and_cut(world, name, clean):
    """STOR over TLS, ended with a close_notify or a bare FIN: the final reply."""
    person = user_named(world, name)
    with tls.Client(world.server, user=person) as client:
        client.voidcmd("TYPE I")
        data, _ = client.ntransfercmd("STOR cut")
        data.sendall(SOME)
        if clean:
            data.unwrap().close()
        else:
            raw = socket.socket(fileno=os.dup(data.fileno()))
            raw.shutdown(socket.SHUT_WR)
            raw.close()
        reply = tls.final_reply(client)
        data.close()
        return reply[:3]


@suite.table(
    [("demo", True, "226"), ("demo", False, "426"), ("old", False, "226")],
    lambda row: f"HOSTILE 37: an upload of {row[0]} that ends {'cleanly' if row[1] else 'without a word'}",
)
def _(world, row):
    name, clean, reply = row
    person = user_named(world, name)
    start = world.server.mark()
    with contextlib.suppress(FileNotFoundError):
        person.path("cut").unlink()
    equal(store_and_cut(world, name, clean), reply, "reply")
    equal(b"cut" in person.names(), reply == "226", "whether it is there")
    wait_until(lambda: not any(b".sallyport-" in one for one in person.names()), "nothing is left beside it")
    if reply == "226":
        equal(person.path("cut").read_bytes() == SOME, True, "content")
    if reply == "226" and not clean:
        world.server.wait_record(start, event="unclean_end", bytes=100_000)


@suite.case("the last records of an upload do not wait for more, and neither does its close_notify")
def _(world):
    with tls.Client(world.server) as client:
        client.voidcmd("TYPE I")
        data, _ = client.ntransfercmd("STOR little")
        data.sendall(SOME)
        wait_until(lambda: f" {len(SOME)} bytes" in client.sendcmd("STAT"), "all is there", 10)
        data.unwrap().close()  # the client's FIN comes behind ours
        equal(client.voidresp()[:3], "226", "reply")
    equal(world.user.path("little").read_bytes() == SOME, True, "content")


@suite.case("a download is ended with close_notify, and one whose reader vanishes ends")
def _(world):
    world.user.file("big", BIG)
    with tls.Client(world.server) as client:
        client.voidcmd("TYPE I")
        data, _ = client.ntransfercmd("RETR big")
        got = b""
        while more := data.recv(65536):
            got += more
        equal(got == BIG, True, "content")
        data.unwrap()  # raises where the server's close_notify is missing
        equal(client.voidresp()[:3], "226", "reply")
        data, _ = client.ntransfercmd("RETR big")
        data.recv(1000)
        data.close()
        check(tls.final_reply(client)[:1] in "45", "no failure")
        equal(client.voidcmd("NOOP")[:3], "200", "afterwards")


# Keys


@suite.case("stalled handshakes keep nobody out")
def _(world):
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            raw = stack.enter_context(socket.create_connection(world.server.address, LIVENESS_S))
            raw.recv(200)
            raw.sendall(b"AUTH TLS\r\n")
            raw.recv(200)
            raw.sendall(b"\x16\x03\x01\x02\x00")
        with secured(world, "demo") as control:
            control.command("NOOP", 200)


@suite.case("keys is killed: the next one signs, sessions go on")
def _(world):
    world.server.expect('"process": "keys"')
    with secured(world, "demo") as control:
        start = world.server.mark()
        os.kill(world.server.processes("keys")[0], signal.SIGKILL)
        world.server.wait_record(start, event="process_ended", process="keys")
        control.command("NOOP", 200)
        world.server.wait_record(start, event="process_started", process="keys")

        def can_shake():
            with contextlib.suppress(ssl.SSLError, OSError), secured(world) as other:
                other.command("NOOP", 200)
                return True
            return False

        wait_until(can_shake, "a handshake with the next keys")


def certificate_of(world):
    with secured(world) as control:
        return control.socket.getpeercert(True)


@suite.case("a reload brings new certificates, running sessions stay, a broken one changes nothing")
def _(world):
    old = certificate_of(world)
    world.server.expect("configuration refused")
    with secured(world, "demo") as control:
        certificate = world.folder / "server.pem"
        kept = certificate.read_bytes()
        certificate.write_bytes(kept[: len(kept) // 2])
        start = world.server.mark()
        os.kill(world.server.pid, signal.SIGHUP)
        said = world.server.wait_record(start, event="notice", severity="error")
        check("server.pem" in said["text"], said)
        equal(certificate_of(world), old, "certificate after a broken one")
        tls.make_certificate(world.folder)
        start = world.server.mark()
        os.kill(world.server.pid, signal.SIGHUP)
        world.server.wait_record(start, text="certificates loaded")
        wait_until(lambda: certificate_of(world) != old, "the new certificate")
        control.command("NOOP", 200)


def memory_holds(pid, wanted):
    """Is that in writable memory of the process?"""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, access = line.split()[:2]
            if not access.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in span.split("-"))
            with contextlib.suppress(OSError, OverflowError, ValueError):
                memory.seek(start)
                if wanted in memory.read(min(end - start, 64 << 20)):
                    return True
    return False


@suite.case("the private key is in the memory of keys and of no other process")
def _(world):
    need_root("reading another process's memory")
    text = run(
        ["openssl", "pkey", "-in", world.folder / "server.key", "-noout", "-text"]
    ).stdout.decode()
    digits = re.search(r"priv:\s*([0-9a-f:\s]+)pub:", text)[1]
    secret = bytes.fromhex(re.sub(r"[:\s]", "", digits)).lstrip(b"\0")
    forms = [secret, secret[::-1]]  # as in the file; as OpenSSL has numbers in memory
    for _ in range(3):
        with secured(world, "demo") as control:
            control.command("NOOP", 200)
    holders = {
        processes.role(pid)
        for pid in world.server.processes()
        if any(memory_holds(pid, form) for form in forms)
    }
    equal(holders, {"sallyport-keys"}, "who has it")


# The quick start


@suite.case("the quick start makes a certificate, and its line for curl works")
def _(_):
    with server.quick("--tls") as running:
        tls.forgive_sanitizer(running)
        running.user.file("hello", b"hello")
        line = running.launched.wait_line(
            lambda text: text if "--pinnedpubkey" in text else None, "the line", "stdout"
        )
        pin = re.search(r"--pinnedpubkey '([^']+)'", line)[1]
        login = f"{running.user.name}:{running.user.password}"
        url = f"ftp://127.0.0.1:{running.address[1]}/hello"
        arguments = ["curl", "-sS", "--ssl-reqd", "--insecure", "--user", login, url]
        equal(run([*arguments, "--pinnedpubkey", pin]).stdout, b"hello")
        wrong = run([*arguments, "--pinnedpubkey", "sha256//" + "A" * 43 + "="], check_status=False)
        check(wrong.returncode != 0, "another key was trusted")


@suite.case("and so does its line for lftp, without a complaint")
def _(_):
    with server.quick("--tls") as running:
        tls.forgive_sanitizer(running)
        running.user.file("hello", b"hello")
        line = running.launched.wait_line(
            lambda text: text if "try: lftp" in text else None, "the line", "stdout"
        )
        words = shlex.split(line.partition("try: ")[2])
        words[words.index("-u") + 1] = f"{running.user.name},{running.user.password}"
        words[words.index("-e") + 1] += "; cat hello; exit"
        done = run(words)
        equal((done.stdout, done.stderr), (b"hello", b""))


if __name__ == "__main__":
    suite.main(serving)
