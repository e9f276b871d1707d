#!/usr/bin/python3 -B
"""openssl s_client as a client of FTPS: versions, ALPN, session resumption, close_notify.

It speaks TLS and nothing else, so that each message of a handshake can be seen. Sources: RFC 4217,
RFC 8446, RFC 7301; which session a data connection may resume is in gateway/tls_tickets.h.
"""

import contextlib
import re
import subprocess

from harness import matrix
from harness.fixtures import noise
from harness.launch import Launched
from harness.place import temporary_folder
from harness.tap import LIVENESS_S, Suite, check, equal

suite = Suite()

CONTENT = noise(300_000)


def ways(world):
    """Explicit and implicit: the options that say so."""
    explicit, port = world.server.address
    return {
        "explicit": ["-connect", f"{explicit}:{port}", "-starttls", "ftp"],
        "implicit": ["-connect", f"{explicit}:{world.implicit}"],
    }


def s_client(world, way, *options, said=b"QUIT\r\n"):
    """What it printed, both outputs, and its exit status."""
    command = ["openssl", "s_client", *ways(world)[way], "-ign_eof", *options]
    done = subprocess.run(command, input=said, capture_output=True, timeout=LIVENESS_S)
    return (done.stdout + done.stderr).decode(errors="replace"), done.returncode


ROWS = [(way, version) for way in ("explicit", "implicit") for version in ("1.2", "1.3")]


@suite.table(ROWS, lambda row: f"{row[0]}: TLS {row[1]} and a farewell")
def _(world, row):
    way, version = row
    said, status = s_client(world, way, f"-tls{version.replace('.', '_')}")
    equal(status, 0, "exit status")
    check(re.search(rf"^New, TLSv{version}", said, re.MULTILINE), said[-2000:])
    check(re.search(r"^221 ", said, re.MULTILINE), said[-2000:])


@suite.table(
    [("explicit", "-tls1_1"), ("implicit", "-tls1_1"), ("implicit", "-tls1")],
    lambda row: f"{row[0]}: {row[1]} is refused by an alert",
)
def _(world, row):
    way, version = row
    said, status = s_client(world, way, version, "-cipher", "DEFAULT@SECLEVEL=0")
    check(status != 0 and "alert protocol version" in said, said[-2000:])


@suite.table(
    [("ftp", True), ("http/1.1,ftp", True), ("http/1.1", False)],
    lambda row: f"ALPN {row[0]}: {'ftp is chosen' if row[1] else 'refused by an alert'}",
)
def _(world, row):
    names, works = row
    for way in ("explicit", "implicit"):
        said, status = s_client(world, way, "-alpn", names)
        wanted = "ALPN protocol: ftp" if works else "alert no application protocol"
        equal((wanted in said, status == 0), (True, works), f"{way}: {said[-1500:]}")


@suite.table(ROWS, lambda row: f"{row[0]}, TLS {row[1]}: QUIT is answered by 221 and close_notify")
def _(world, row):
    way, version = row
    said, _ = s_client(world, way, f"-tls{version.replace('.', '_')}", "-msg")
    farewell = said.index("\n221 ")
    check(re.search(r"<<< .*Alert .*warning close_notify", said[farewell:]), said[-2000:])


@suite.table(ROWS, lambda row: f"{row[0]}, TLS {row[1]}: another control connection resumes nothing")
def _(world, row):
    way, version = row
    with temporary_folder() as folder:
        version_option = f"-tls{version.replace('.', '_')}"
        s_client(world, way, version_option, "-sess_out", folder / "session")
        check((folder / "session").exists(), "no session was given")
        said, status = s_client(world, way, version_option, "-sess_in", folder / "session")
        equal(status, 0, "exit status")
        check(re.search(rf"^New, TLSv{version}", said, re.MULTILINE), said[-2000:])


class Control:
    """An s_client that runs for as long as its connection."""

    def __init__(self, world, way, *options):
        command = ["openssl", "s_client", *ways(world)[way], "-quiet", *options]
        self.launched = Launched(command, stdin=subprocess.PIPE)
        self.seen = 0
        if way == "implicit":
            self.reply("220")

    def reply(self, code):
        """The next line that begins so; nothing between it and the last one is a reply."""

        def accept(line):
            self.seen += 1
            return line if re.match(r"\d\d\d ", line) else None

        line = self.launched.wait_line(accept, f"a reply {code}", "stdout", self.seen_in_lines())
        check(line.startswith(code), f"got {line}, want {code}")
        return line

    def seen_in_lines(self):
        """Where in the lines of both streams the next one of the standard output is."""
        count = 0
        for position, (name, _) in enumerate(self.launched.lines):
            if name == "stdout":
                if count == self.seen:
                    return position
                count += 1
        return len(self.launched.lines)

    def command(self, text, code):
        self.launched.process.stdin.write(f"{text}\r\n".encode())
        self.launched.process.stdin.flush()
        return self.reply(code)

    def login(self, user):
        self.command(f"USER {user.name}", "331")
        self.command(f"PASS {user.password}", "230")
        self.command("PBSZ 0", "200")
        self.command("PROT P", "200")
        self.command("TYPE I", "200")

    def port(self):
        numbers = re.search(r"\(([\d,]+)\)", self.command("PASV", "227"))[1].split(",")
        return int(numbers[4]) * 256 + int(numbers[5])


@contextlib.contextmanager
def logged_in(world, way, *options):
    control = Control(world, way, *options)
    try:
        control.login(world.server.user)
        yield control
        control.command("QUIT", "221")
        equal(control.launched.wait_end(), 0, "exit status")
    finally:
        control.launched.stop()


def fetch(control, path, *options):
    """What s_client printed as the client of a data connection; the final reply is still to come."""
    port = control.port()
    data = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    control.command(f"RETR {path}", "150")
    return data.communicate(timeout=LIVENESS_S)[0]


@suite.table(ROWS, lambda row: f"{row[0]}, TLS {row[1]}: data by a resumed session, then close_notify")
def _(world, row):
    way, version = row
    name = f"{way}-{version}"  # rows run side by side, and a file is empty before it is written
    world.server.user.file(name, CONTENT)
    with temporary_folder() as folder:
        option = f"-tls{version.replace('.', '_')}"
        with logged_in(world, way, option, "-sess_out", folder / "session") as control:
            said = fetch(control, name, option, "-msg", "-sess_in", folder / "session", "-ign_eof")
            control.reply("226")
            check(re.search(rb"^Reused, TLSv" + version.encode(), said, re.MULTILINE), said[-500:])
            check(CONTENT[:16] in said, "no content")
            check(b"warning close_notify" in said, "no close_notify")


@suite.table(ROWS, lambda row: f"{row[0]}, TLS {row[1]}: no byte of data by a new session")
def _(world, row):
    way, version = row
    name = f"{way}-{version}-alone"
    world.server.user.file(name, CONTENT)
    option = f"-tls{version.replace('.', '_')}"
    with logged_in(world, way, option) as control:
        said = fetch(control, name, option, "-quiet", "-ign_eof")
        control.reply("522")
        check(CONTENT[:16] not in said, "content")


if __name__ == "__main__":
    suite.main(matrix.serving_secured, matrix.AT_A_TIME)
