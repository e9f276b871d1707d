#!/usr/bin/python3 -B
"""Certificates of clients: who is asked for one, which are refused in the handshake, whom they log
in, with a password and without, and what the record says of them.

Sources: RFC 4217 §5 and §15, RFC 2228 (232), RFC 8446 §4.4 and §6.2, DESIGN §1.
"""

import contextlib
import io
import os
import signal
import ssl

from harness import server, tls
from harness.authority import Authority, fingerprint
from harness.ftp import Control
from harness.launch import run
from harness.place import temporary_folder
from harness.tap import Suite, check, equal, wait_until

suite = Suite()

SOME = b"some bytes\n" * 10_000


class World:
    """A server that asks for certificates, its authority, and what that has issued."""

    def __init__(self, running, authority, pairs):
        self.server, self.authority, self.pairs = running, authority, pairs

    def user(self, name):
        return next(user for user in self.server.users if user.name == name)


@contextlib.contextmanager
def asking(folder, users, **options):
    """A server with a certificate of its own and these options."""
    pair = tls.make_certificate(folder)
    with server.configured(
        users, server.SHA512_1000, gateways=1, **tls.options(*pair, **options)
    ) as running:
        tls.forgive_sanitizer(running)
        yield running


@contextlib.contextmanager
def serving():
    users = (
        ("plain", None, ""),
        ("ada", None, "certificate=email/ada@example.org"),
        ("both", None, r"certificate=subject/O=Example\054CN=both certificate_and_password"),
        ("only", None, "certificate=dns/only.example", "!"),
        ("two", None, "certificate=uri/urn\\072x\\0721,email/two@example.org"),
    )
    with temporary_folder() as folder:
        authority = Authority(folder)
        stranger = Authority(folder, "stranger")
        pairs = {
            "ada": authority.issue("ada", alternatives="email:ada@example.org"),
            "both": authority.issue("both", "/CN=both/O=Example"),
            "only": authority.issue("only", alternatives="DNS:ONLY.example"),
            "two": authority.issue("two", alternatives="URI:urn:x:1"),
            "odd": authority.issue("odd", "/CN=a\\,b=\\\"c\u00fc\n\x07/O=x"),
            "revoked": authority.issue("revoked", alternatives="email:ada@example.org"),
            "expired": authority.issue("expired", is_expired=True),
            "server": authority.issue("server", use="serverAuth"),
            "stranger": stranger.issue("stranger", alternatives="email:ada@example.org"),
            "itself": tls.make_certificate(folder, "itself"),
        }
        crl = authority.revoke(pairs["revoked"][0])
        with asking(
            folder, users, tls_client_certificate="request",
            tls_client_ca=f'"{authority.file}"', tls_client_crl=f'"{crl}"',
        ) as running:
            yield World(running, authority, pairs)


def context(pair=None, version=None):
    made = tls.context()
    if pair:
        made.load_cert_chain(*pair)
    if version:
        made.maximum_version = version
    return made


@contextlib.contextmanager
def secured(running, pair=None, version=None):
    """A control connection under TLS, with that certificate."""
    with Control(running.address) as control:
        control.reply(220)
        control.command("AUTH TLS", 234)
        control.socket = context(pair, version).wrap_socket(control.socket)
        yield control


# Whom it logs in


@suite.table(
    [
        ("ada", "ada", 232), ("only", "only", 232), ("two", "two", 232),
        ("both", "both", 331), ("ada", "plain", 331), ("ada", "only", 331), ("two", "ada", 331),
        ("odd", "ada", 331), (None, "ada", 331), (None, "only", 331), ("ada", "nobody", 331),
    ],
    lambda row: f"the certificate of {row[0]} and USER {row[1]}: {row[2]}",
)
def _(world, row):
    pair, name, code = row
    with secured(world.server, world.pairs.get(pair)) as control:
        control.command(f"USER {name}", code)
        control.command("PWD", 257 if code == 232 else 530)
        if code == 232:
            control.command("PBSZ 0", 200)
            control.command("REIN", 220)
            control.command(f"USER {name}", 232)


@suite.table(
    [
        ("both", "both", True, 230), ("both", "both", False, 530), ("ada", "both", True, 530),
        (None, "both", True, 530), (None, "ada", True, 230), ("two", "ada", True, 230),
        (None, "only", True, 530), ("ada", "only", True, 530), ("ada", "plain", True, 230),
    ],
    lambda row: f"the certificate of {row[0]}, USER {row[1]}, "
    f"the {'right' if row[2] else 'wrong'} password: {row[3]}",
)
def _(world, row):
    pair, name, is_right, code = row
    with secured(world.server, world.pairs.get(pair)) as control:
        control.command(f"USER {name}", 331)
        password = world.user(name).password
        control.command(f"PASS {password if is_right else 'wrong'}", code)


@suite.table(["1.2", "1.3"], lambda version: f"TLS {version}: 232")
def _(world, version):
    most = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
    with secured(world.server, world.pairs["ada"], most) as control:
        equal(control.socket.version(), f"TLSv{version}")
        control.command("USER ada", 232)


def s_client(world, lines, *options):
    """openssl's client: all that it says."""
    host, port = world.server.address
    return run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-starttls", "ftp", "-crlf", "-quiet", *options],
        check_status=False, stdin=None, input=lines.encode(),
    ).stdout.decode(errors="replace")


@suite.case("a client that is asked for another hello first")
def _(world):
    certificate, secret = world.pairs["ada"]
    said = s_client(world, "USER ada\nQUIT\n", "-cert", certificate, "-key", secret,
                    "-groups", "secp521r1:X25519", "-msg", "-ign_eof")
    equal(said.count("Handshake [length") > 0 and said.count(", ClientHello"), 2, "hellos")
    check("\n232 " in said, said[-600:])


# Clients


@suite.table([("--ssl-reqd",), ("--ssl-reqd", "--tls-max", "1.2")], lambda row: f"curl {row[-1]}")
def _(world, options):
    certificate, secret = world.pairs["ada"]
    user = world.user("ada")
    user.file("there", SOME)
    url = f"ftp://127.0.0.1:{world.server.address[1]}/there"
    got = run(["curl", "-sS", "-k", "--cert", certificate, "--key", secret, *options]
              + ["--user", "ada:", url]).stdout
    equal(got == SOME, True, "what came")


@suite.case("lftp: ssl:cert-file, there and back")
def _(world):
    certificate, secret = world.pairs["ada"]
    host, port = world.server.address
    with temporary_folder() as folder:
        (folder / "up").write_bytes(SOME)
        run(["lftp", "-c", "set ssl:verify-certificate no; set ftp:ssl-force yes; "
             f"set ssl:cert-file {certificate}; set ssl:key-file {secret}; "
             f"open -u ada,x ftp://{host}:{port}; put up; get up -o back; bye"], cwd=folder)
        equal((folder / "back").read_bytes() == SOME, True, "what came back")


@suite.case("a data connection resumes the session that the certificate is of, and asks for none")
def _(world):
    user = world.user("ada")
    with tls.Client(world.server, user=user, login=False, context=context(world.pairs["ada"])) as client:
        equal(client.sendcmd("USER ada")[:3], "232")
        client.prot_p()
        client.storbinary("STOR py", io.BytesIO(SOME))
        equal(user.path("py").read_bytes() == SOME, True, "what arrived")


# What is refused in the handshake


def refused(running, pair, version=None):
    """The handshake, or what follows it, fails: OpenSSL's word for the alert."""
    try:
        with secured(running, pair, version) as control:
            control.command("NOOP", 200)
    except ssl.SSLError as error:
        return error.reason
    return None


@suite.table(
    [
        ("revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED", "certificate revoked"),
        ("expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate has expired"),
        ("stranger", "TLSV1_ALERT_UNKNOWN_CA", "unable to get local issuer certificate"),
        ("itself", "TLSV1_ALERT_UNKNOWN_CA", "self-signed certificate"),
        ("server", "TLSV1_ALERT_UNSUPPORTED_CERTIFICATE", "unsuitable certificate purpose"),
    ],
    lambda row: f"refused with {row[1]}: {row[0]}",
)
def _(world, row):
    name, alert, why = row
    pair = world.pairs[name]
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        start = world.server.mark()
        said = refused(world.server, pair, version)
        check(said in (alert, alert.replace("TLSV1", "SSLV3")), f"{said}, not {alert}")
        told = world.server.wait_record(start, event="unsecured", fingerprint=fingerprint(pair[0]))
        equal(told["why"], why)


@suite.case("require: no handshake without a certificate, and with one it is as ever")
def _(_):
    with temporary_folder() as folder:
        authority = Authority(folder)
        pair = authority.issue("ada", alternatives="email:ada@example.org")
        with asking(
            folder, (("ada", None, "certificate=email/ada@example.org"),),
            tls_client_certificate="require", tls_client_ca=f'"{authority.file}"',
        ) as running:
            equal(refused(running, None), "TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLS 1.3")
            check(refused(running, None, ssl.TLSVersion.TLSv1_2), "TLS 1.2")
            with secured(running, pair) as control:
                control.command("USER ada", 232)


@suite.case("a session is never resumed for control: without the certificate it is none")
def _(world):
    certificate, secret = world.pairs["ada"]
    with temporary_folder() as folder:
        kept = folder / "session"
        for version in ("-tls1_2", "-tls1_3"):
            said = s_client(world, "USER ada\nQUIT\n", version, "-ign_eof", "-cert", certificate,
                            "-key", secret, "-sess_out", kept)
            check(said.startswith("232 ") and kept.stat().st_size > 0, said)
            said = s_client(world, "USER ada\nQUIT\n", version, "-ign_eof", "-sess_in", kept)
            check(said.startswith("331 "), said)
            kept.unlink()


# Fingerprints, without any authority


@suite.case("without authorities a fingerprint logs in, and nothing else that is in a certificate")
def _(_):
    with temporary_folder() as folder:
        pinned, other = (tls.make_certificate(folder, name) for name in ("pinned", "other"))
        old = Authority(folder).issue_itself("old", is_expired=True)
        users = (
            ("ada", None, f"certificate=sha256/{fingerprint(pinned[0])}"),
            ("eve", None, "certificate=dns/ftp.example.org,subject/CN=ftp.example.org"),
            ("old", None, f"certificate=sha256/{fingerprint(old[0])}"),
        )
        with asking(folder, users, tls_client_certificate="request") as running:
            for pair, name, code in (
                (pinned, "ada", 232), (other, "ada", 331), (pinned, "eve", 331), (None, "ada", 331)
            ):
                with secured(running, pair) as control:
                    control.command(f"USER {name}", code)
            equal(refused(running, old), "SSLV3_ALERT_CERTIFICATE_EXPIRED")


# The record


@suite.case("the record names the certificate, and what auth has found proven")
def _(world):
    start = world.server.mark()
    with secured(world.server, world.pairs["ada"]) as control:
        control.command("USER ada", 232)
    mark = fingerprint(world.pairs["ada"][0])
    shown = world.server.wait_record(start, event="certificate", fingerprint=mark)
    equal(shown["subject"], "CN=ada")
    judged = world.server.wait_record(start, event="login", name="ada", verdict="accepted")
    equal((judged["certificate"], judged["session"]), (mark, shown["session"]))
    with secured(world.server, world.pairs["ada"]) as control:
        control.command("USER plain", 331)
    world.server.wait_record(
        start, event="login", name="plain", verdict="password-needed", certificate=mark
    )


@suite.case("a subject is one line of plain text, whatever is in it")
def _(world):
    start = world.server.mark()
    with secured(world.server, world.pairs["odd"]) as control:
        control.command("USER plain", 331)
    shown = world.server.wait_record(start, event="certificate")
    check(all(" " <= letter <= "~" for letter in shown["subject"]), shown)
    check("\\0A" in shown["subject"] and "\\07" in shown["subject"], shown)


# Reload, and processes that die


@suite.case("auth and keys are killed: the next ones hold certificates to the same")
def _(world):
    world.server.expect('"process": "(auth|keys)"')
    for role in ("auth", "keys"):
        start = world.server.mark()
        os.kill(world.server.processes(role)[0], signal.SIGKILL)
        world.server.wait_record(start, event="process_started", process=role)

    def lets_in():
        with contextlib.suppress(ssl.SSLError), secured(world.server, world.pairs["ada"]) as control:
            return control.command("USER ada", 232)

    wait_until(lets_in, "a handshake with the next keys")


@suite.case("a reload brings the next list: who is on it is refused; a broken one changes nothing")
def _(world):
    world.server.expect("configuration refused")
    pair = world.pairs["two"]
    kept = world.authority.list.read_text()
    for wrong, said in ((kept[:200], "broken|no revocation"), (None, "expired")):
        if wrong:
            world.authority.list.write_text(wrong)
        else:
            world.authority.revoke(is_expired=True)
        start = world.server.mark()
        os.kill(world.server.pid, signal.SIGHUP)
        told = world.server.wait_record(start, event="notice", severity="error")
        check("list.pem" in told["text"], told)
        check(any(word in told["text"] for word in said.split("|")), told)
        with secured(world.server, pair) as control:
            control.command("USER two", 232)
    world.authority.revoke(pair[0])
    start = world.server.mark()
    os.kill(world.server.pid, signal.SIGHUP)
    world.server.wait_record(start, text="certificates loaded")
    with secured(world.server, world.pairs["ada"]) as control:
        control.command("USER ada", 232)
    equal(refused(world.server, pair), "SSLV3_ALERT_CERTIFICATE_REVOKED")


if __name__ == "__main__":
    suite.main(serving)
