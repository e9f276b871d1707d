"""An authority that signs certificates of clients and lists what it has revoked, by openssl(1)."""

import hashlib
import ssl

from .launch import run

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
EXPIRED = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
CONFIGURATION = """[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
certificate = {folder}/authority.pem
private_key = {folder}/authority.key
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
organizationName = optional
"""


class Authority:
    """In a folder of its own; `file` is its certificate."""

    def __init__(self, folder, name="authority"):
        self.folder = folder / name
        self.folder.mkdir()
        self.file, self.list = self.folder / "authority.pem", self.folder / "list.pem"
        self.configuration = self.folder / "ca.conf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("01\n")
        run(["openssl", "req", "-x509", *EC, "-subj", f"/CN={name}", "-days", "30"]
            + ["-keyout", self.folder / "authority.key", "-out", self.file])

    def issue(self, name, subject=None, alternatives="", use="clientAuth", is_expired=False):
        """A certificate that it signs: (certificate file, key file)."""
        certificate, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.req", self.folder / f"{name}.ext"
        run(["openssl", "req", "-new", *EC, "-utf8", "-subj", subject or f"/CN={name}"]
            + ["-keyout", secret, "-out", request])
        extensions.write_text(
            f"extendedKeyUsage={use}\n" + (f"subjectAltName={alternatives}\n" if alternatives else "")
        )
        run(["openssl", "ca", "-batch", "-notext", "-config", self.configuration, "-utf8"]
            + ["-in", request, "-out", certificate, "-extfile", extensions]
            + (EXPIRED if is_expired else ["-days", "30"]))
        return certificate, secret

    def issue_itself(self, name, is_expired=False):
        """A certificate that signs itself: (certificate file, key file)."""
        certificate, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request = self.folder / f"{name}.req"
        run(["openssl", "req", "-new", *EC, "-subj", f"/CN={name}"]
            + ["-keyout", secret, "-out", request])
        run(["openssl", "ca", "-batch", "-notext", "-config", self.configuration, "-selfsign"]
            + ["-keyfile", secret, "-in", request, "-out", certificate]
            + (EXPIRED if is_expired else ["-days", "30"]))
        return certificate, secret

    def revoke(self, *certificates, is_expired=False):
        """The list of what it has revoked, with these: its file."""
        tool = ["openssl", "ca", "-config", self.configuration]
        for certificate in certificates:
            run([*tool, "-revoke", certificate])
        times = ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"]
        run([*tool, "-gencrl", "-out", self.list] + (times if is_expired else ["-crldays", "30"]))
        return self.list


def fingerprint(certificate):
    """SHA-256 of a certificate's file, as the users file and the record write it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
