"""TLS for tests: certificates made by openssl(1), and clients of Python's ssl module.

Nothing here checks names or issuers: what is tried is the server.
"""

import ftplib
import ssl

from . import place
from .launch import run
from .tap import LIVENESS_S

SUBJECT = "/CN=ftp.example.org"
SANITIZER_SAYS = r"ASan is ignoring|False positive|google/sanitizers"  # of stacks that OpenSSL makes


def make_certificate(folder, name="server", key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), days=30):
    """A certificate that signs itself, and its key: (certificate file, key file)."""
    certificate, secret = folder / f"{name}.pem", folder / f"{name}.key"
    run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", *key, "-subj", SUBJECT]
        + ["-addext", "subjectAltName=DNS:ftp.example.org", "-days", str(days)]
        + ["-keyout", secret, "-out", certificate]
    )
    secret.chmod(0o600)
    return certificate, secret


def options(certificate, secret, **more):
    """Options of a configuration with that certificate."""
    return {
        "tls": "optional",
        "tls_certificates": f'{{"{certificate}"}}',
        "tls_keys": f'{{"{secret}"}}',
        "keys_user": "lp",
        **more,
    }


def forgive_sanitizer(server):
    """What a sanitizer says of OpenSSL is no surprise."""
    if place.has_sanitizer():
        server.expect(SANITIZER_SAYS)


def final_reply(client):
    """The next reply to a client of ftplib's kind, also one that it raises."""
    try:
        return client.getresp()
    except ftplib.Error as error:
        return str(error)


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a cut stream is none that ended
    return made


make_context = context


class Client(ftplib.FTP_TLS):
    """Python's client. Its data connections resume the session of its control connection; or none;
    or, with `resumes`, that of another client."""

    def __init__(
        self, server, reuses=True, resumes=None, user=None, login=True, context=None
    ):
        context = resumes.context if resumes else context or make_context()
        super().__init__(context=context, timeout=LIVENESS_S)
        self.resumed = (resumes or self) if reuses else None
        self.connect(*server.address)
        self.auth()
        person = user or server.user
        if login:
            self.login(person.name, person.password, secure=False)
            self.prot_p()

    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        session = self.resumed.sock.session if self.resumed else None
        wrapped = self.context.wrap_socket(connection, session=session)
        return wrapped, size
