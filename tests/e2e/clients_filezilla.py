#!/usr/bin/python3 -B
"""FileZilla itself, on a screen that nobody sees (Xvfb): it opens a site of its own site manager.

It has no command line beyond that, so what it did is read from the server's records: the handshake,
the login, the listing. The server takes nothing in the clear, and no data connection that does not
resume the session of its control connection.
"""

import base64
import contextlib
import os
import shutil
import ssl
import time

from harness import clients, matrix
from harness.launch import Launched
from harness.place import temporary_folder
from harness.tap import LIVENESS_S, Skip, Suite, check, equal

suite = Suite()

DAY_S = 86400
START_S = 60  # a program of 30 MB, all its icons and no graphics card
SITE = "there"
PROTOCOLS = {clients.EXPLICIT: 4, clients.IMPLICIT: 3}  # as FileZilla numbers them

SETTINGS = """\
<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><Settings>
  <Setting name="Greeting version">9</Setting>
  <Setting name="Disable update check">1</Setting>
</Settings></FileZilla3>
"""
SITES = """\
<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><Servers><Server>
  <Host>{host}</Host><Port>{port}</Port><Protocol>{protocol}</Protocol><Type>0</Type>
  <User>{user}</User><Pass encoding="base64">{password}</Pass><Logontype>1</Logontype>
  <PasvMode>MODE_PASSIVE</PasvMode><EncodingType>Auto</EncodingType><Name>{name}</Name>
  <LocalDir>{folder}</LocalDir><RemoteDir>1 0 5 inner</RemoteDir>
</Server></Servers></FileZilla3>
"""
TRUSTED = """\
<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><TrustedCerts><Certificate>
  <Data>{data}</Data><ActivationTime>{start}</ActivationTime><ExpirationTime>{end}</ExpirationTime>
  <Host>{host}</Host><Port>{port}</Port><TrustSANs>0</TrustSANs>
</Certificate></TrustedCerts></FileZilla3>
"""


def configure(home, user, host, port, protocol, certificate):
    folder = home / ".config" / "filezilla"
    folder.mkdir(parents=True)
    now = int(time.time())
    data = ssl.PEM_cert_to_DER_cert(certificate).hex()
    values = {"host": host, "port": port}
    texts = {
        "filezilla.xml": SETTINGS,
        "trustedcerts.xml": TRUSTED.format(
            data=data, start=now - DAY_S, end=now + DAY_S, **values
        ),
        "sitemanager.xml": SITES.format(
            user=user.name, password=base64.b64encode(user.password.encode()).decode(),
            protocol=protocol, name=SITE, folder=home, **values
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


@contextlib.contextmanager
def screen():
    """An X server; what DISPLAY calls it."""
    reading, writing = os.pipe()
    launched = Launched(
        ["Xvfb", "-displayfd", writing, "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[writing],
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            yield f":{said.readline().strip()}"
    finally:
        launched.stop()


@contextlib.contextmanager
def filezilla(home):
    with screen() as display:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DISPLAY": display}
        launched = Launched(["filezilla", "-c", f"0/{SITE}"], env=environment | {"LC_ALL": "C.UTF-8"})
        try:
            yield launched
        finally:
            launched.stop()


def wait_record(server, start, **fields):
    """As Server.wait_record, with the time that such a program needs to start."""
    end = time.monotonic() + START_S - LIVENESS_S
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):
            return server.wait_record(start, **fields)
    return server.wait_record(start, **fields)


def rows():
    return [matrix.Row(None, 4, "EPSV", tls) for tls in PROTOCOLS]


@suite.table(rows(), lambda row: f"FileZilla, {row.tls}: TLS 1.3, login, a listing by a resumed session")
def _(world, row):
    for program in ("filezilla", "Xvfb"):
        if not shutil.which(program):
            raise Skip(program)
    running = world.server
    running.user.file("inner/file with blank", b"x" * 1000)
    host, port = world.endpoint(row)
    with temporary_folder() as home:
        certificate = ssl.get_server_certificate((host, world.implicit))
        configure(home, running.user, host, port, PROTOCOLS[row.tls], certificate)
        start = running.mark()
        with filezilla(home):
            session = wait_record(running, start, event="client")["session"]
            listed = running.wait_record(start, event="transfer", session=session)
        secured = running.wait_record(start, event="secured", session=session)
        check(secured["how"].startswith("TLSv1.3 "), secured)
        running.wait_record(start, event="login", session=session, verdict="accepted")
        equal((listed["name"], listed["path"], listed["error"]), ("send_listing", "/inner", 0))


if __name__ == "__main__":
    suite.main(matrix.serving_secured)
