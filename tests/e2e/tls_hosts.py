#!/usr/bin/python3 -B
"""Virtual hosts and TLS: which certificate a client is shown, and files of certificates that are
wrong, at the start and at a reload.

Sources: RFC 7151 §3, RFC 6066 §3, RFC 4217.
"""

import contextlib
import os
import re
import signal
import ssl

from harness import server, tls
from harness.authority import Authority
from harness.ftp import Control
from harness.launch import run
from harness.place import program, temporary_folder
from harness.tap import Suite, check, equal, need_root

suite = Suite()

FIRST, SECOND, BARE = "first.example", "second.example", "bare.example"


class World:
    """A server whose first two hosts have a certificate each, and whose third has none."""

    def __init__(self, running, pairs, at):
        self.server, self.pairs, self.at = running, pairs, at


@contextlib.contextmanager
def serving():
    with temporary_folder() as folder:
        authority = Authority(folder)
        pairs = [authority.issue(name, alternatives=f"DNS:{name}", use="serverAuth")
                 for name in (FIRST, SECOND)]
        for _, secret in pairs:
            secret.chmod(0o600)
        port = server.free_port()
        options = {
            "tls": "optional", "keys_user": "lp", "tls_session_reuse": "off",
            "tls_certificates": server.braces(pair[0] for pair in pairs),
            "tls_keys": server.braces(pair[1] for pair in pairs),
        }
        hosts = (
            server.Host(FIRST), server.Host(BARE),
            server.Host(SECOND, options={"listen": f'"127.0.0.1:{port}"'}),
        )
        with server.configured(setting=server.SHA512_1000, gateways=1, hosts=hosts, **options) as running:
            tls.forgive_sanitizer(running)
            yield World(running, pairs, ("127.0.0.1", port))


@contextlib.contextmanager
def secured(world, host=None, name=None, address=None):
    """A control connection with HOST before AUTH, and that name in the handshake."""
    with Control(address or world.server.address) as control:
        control.reply(220)
        if host:
            control.command(f"HOST {host}", 220)
        control.command("AUTH TLS", 234)
        control.socket = tls.context().wrap_socket(control.socket, server_hostname=name)
        yield control


def shown(connection):
    """The common name of the server's certificate."""
    pem = ssl.DER_cert_to_PEM_cert(connection.getpeercert(True))
    said = run(["openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253"],
               stdin=None, input=pem.encode()).stdout.decode()
    return re.search(r"CN=([^,\n]+)", said)[1]


@suite.table(
    [
        (None, None, FIRST), (SECOND, None, SECOND), (FIRST, None, FIRST), (BARE, None, FIRST),
        (None, SECOND, SECOND), (SECOND, SECOND, SECOND), (SECOND, "other.example", SECOND),
        (BARE, SECOND, SECOND), (SECOND, FIRST, None), (FIRST, SECOND, None),
    ],
    lambda row: f"HOST {row[0]} before AUTH, {row[1]} in the handshake: {row[2] or 'refused'}",
)
def _(world, row):
    host, name, certificate = row
    start = world.server.mark()
    try:
        with secured(world, host, name) as control:
            equal(shown(control.socket), certificate)
    except ssl.SSLError as error:
        equal((error.reason, certificate), ("TLSV1_UNRECOGNIZED_NAME", None))
        world.server.wait_record(start, event="unsecured")


@suite.table(
    [(None, SECOND), (FIRST, FIRST)],
    lambda row: f"at the address of {SECOND}, {row[0]} in the handshake: {row[1]}",
)
def _(world, row):
    name, certificate = row
    with secured(world, None, name, world.at) as control:
        equal(shown(control.socket), certificate)


@suite.case(f"a data connection at the address of {SECOND} shows the same certificate")
def _(world):
    user = world.server.user
    with secured(world, address=world.at) as control:
        control.command(f"USER {user.name}", 331)
        control.command(f"PASS {user.password}", 230)
        control.command("PBSZ 0", 200)
        control.command("PROT P", 200)
        with control.data() as data:
            control.command("LIST", 150)
            with tls.context().wrap_socket(data.socket) as connection:
                equal(shown(connection), SECOND)
                while connection.recv(4096):
                    pass
            control.reply(226)


@suite.table(
    [(None, FIRST, 220), (None, SECOND, 504), (None, BARE, 220), (SECOND, SECOND, 220),
     (SECOND, FIRST, 504)],
    lambda row: f"{row[0]} in the handshake, then HOST {row[1]}: {row[2]}",
)
def _(world, row):
    name, host, code = row
    with secured(world, None, name) as control:
        control.command(f"HOST {host}", code)
        user = world.server.user
        control.command(f"USER {user.name}", 331)
        control.command(f"PASS {user.password}", 230)


# Files that are wrong


def _expired(folder):
    return Authority(folder).issue_itself("expired", is_expired=True)


def _other_key(folder):
    return tls.make_certificate(folder, "one")[0], tls.make_certificate(folder, "two")[1]


def _missing(folder):
    return folder / "none.pem", folder / "none.key"


def _garbage(folder):
    certificate, secret = tls.make_certificate(folder, "garbage")
    secret.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    return certificate, secret


def _folder(folder):
    (folder / "folder.pem").mkdir()
    return folder / "folder.pem", folder / "folder.pem"


def _open_key(folder):
    pair = tls.make_certificate(folder, "open")
    pair[1].chmod(0o644)
    return pair


def _swapped(folder):
    return tls.make_certificate(folder, "swapped")[::-1]


WRONG = [
    ("a key that everybody may read", _open_key, r"open\.key.*everybody"),
    ("certificate and key in each other's place", _swapped, r"swapped\.key.*no certificate"),
    ("a certificate that has expired", _expired, r"expired\.pem.*has expired"),
    ("a key of another certificate", _other_key, r"two\.key.*does not belong"),
    ("a file that is not there", _missing, r"none\.pem.*No such file"),
    ("a key that is none", _garbage, r"garbage\.key.*no private key"),
    ("a folder", _folder, r"folder\.pem.*not a regular file"),
]


def check_configuration(folder, options):
    """What sallyportd says of it."""
    (folder / "users").write_text("")
    lines = {"users_file": folder / "users", "log_directory": '""', **server.ACCOUNTS, **options}
    (folder / "bad.conf").write_text(server.assignments(lines))
    done = run(
        [program("sallyportd"), "--config", folder / "bad.conf", "--check"], check_status=False
    )
    return done.returncode, done.stderr.decode()


@suite.table(WRONG, lambda row: f"at the start: {row[0]}")
def _(_, row):
    _, make, pattern = row
    with temporary_folder() as folder:
        status, said = check_configuration(folder, tls.options(*make(folder)))
        check(status != 0 and re.search(pattern, said), said)


@suite.table(WRONG, lambda row: f"at a reload, which changes nothing: {row[0]}")
def _(_, row):
    _, make, pattern = row
    with temporary_folder() as folder:
        pair = tls.make_certificate(folder)
        with server.configured(
            setting=server.SHA512_1000, gateways=1, **tls.options(*pair)
        ) as running:
            running.expect("configuration refused")
            tls.forgive_sanitizer(running)
            world = World(running, [pair], None)
            path = running.user.home.parent.parent / "sallyport.conf"
            wrong = make(folder)
            text = path.read_text().replace(str(pair[0]), str(wrong[0]))
            path.write_text(text.replace(str(pair[1]), str(wrong[1])))
            start = running.mark()
            os.kill(running.pid, signal.SIGHUP)
            told = running.wait_record(start, event="notice", severity="error")
            check(re.search(pattern, told["text"]), told)
            with secured(world) as control:
                equal(shown(control.socket), "ftp.example.org")


AUTHORITIES = [
    ("authorities that are none", "tls_client_ca", "nothing\n", r"ca\.pem.*no certificate in PEM"),
    ("authorities, cut short", "tls_client_ca", None, r"ca\.pem.*broken"),
    ("a list that is none", "tls_client_crl", "nothing\n", r"crl\.pem.*no revocation list"),
    ("a list that has expired", "tls_client_crl", "", r"crl\.pem.*has expired"),
]


@suite.table(AUTHORITIES, lambda row: f"at the start: {row[0]}")
def _(_, row):
    _, option, text, pattern = row
    with temporary_folder() as folder:
        authority = Authority(folder)
        files = {"tls_client_ca": folder / "ca.pem", "tls_client_crl": folder / "crl.pem"}
        whole = authority.file.read_text()
        files["tls_client_ca"].write_text(whole)
        files["tls_client_crl"].write_text(authority.revoke(is_expired=text == "").read_text())
        if text is None:
            files[option].write_text(whole + whole[:300])
        elif text:
            files[option].write_text(text)
        options = tls.options(
            *tls.make_certificate(folder), tls_client_certificate="request",
            **{name: f'"{path}"' for name, path in files.items()},
        )
        status, said = check_configuration(folder, options)
        check(status != 0 and re.search(pattern, said), said)


@suite.case("at the start: a key that we may not read")
def _(_):
    need_root("a server of another user")
    with temporary_folder() as folder:
        pair = tls.make_certificate(folder)
        folder.chmod(0o755)
        (folder / "users").write_text("")
        lines = {"users_file": folder / "users", "log_directory": '""', **tls.options(*pair)}
        (folder / "bad.conf").write_text(server.assignments(lines))
        arguments = [program("sallyportd"), "--config", folder / "bad.conf", "--check"]
        done = run(["runuser", "-u", "nobody", "--", *arguments], check_status=False)
        said = done.stderr.decode()
        check(done.returncode != 0 and re.search(r"server\.key.*Permission denied", said), said)


if __name__ == "__main__":
    suite.main(serving)
