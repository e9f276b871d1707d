"""Libraries of other languages, driven by a small program in each that reads its steps as JSON:
Perl's Net::FTP (net_ftp.pl) and npm's basic-ftp (node/basic_ftp.js)."""

import json
import pathlib
import subprocess

from ..place import TOP
from ..tap import Skip
from .base import EXPLICIT, IMPLICIT, MIRROR, TIMES_UP, Stepped

HERE = pathlib.Path(__file__).parent
NODE_MODULES = TOP / "build-tests" / "npm" / "node_modules"  # filled by tests/run


class Scripted(Stepped):
    command = ()

    def steps(self, rows):
        login = {
            "host": self.host,
            "port": self.port,
            "user": self.user.name,
            "password": self.user.password,
        }
        task = {
            "login": login,
            "mode": self.mode,
            "passive": self.passive,
            "tls": self.secured,
            "steps": list(rows),
        }
        text = json.dumps(task, ensure_ascii=False)
        done = self.run_apart(*self.command, script=text, environment=self.environment())
        return json.loads(done.stdout)

    def environment(self):
        return {}


class NetFtp(Scripted):
    name = "Net::FTP"
    programs = ("perl",)
    command = ("perl", HERE / "net_ftp.pl")
    tls = (EXPLICIT, IMPLICIT)
    tls_says = "no session reuse in passive mode"
    resumes_sessions = False
    lacks = {MIRROR: "file by file", TIMES_UP: "does not send them"}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        modules = ["-MNet::FTP", *(["-MIO::Socket::SSL"] if self.secured else [])]
        if subprocess.run(["perl", *modules, "-e1"], capture_output=True).returncode != 0:
            raise Skip("libio-socket-ssl-perl" if self.secured else "perl-modules")


class BasicFtp(Scripted):
    name = "basic-ftp"
    programs = ("node",)
    command = ("node", HERE / "node" / "basic_ftp.js")
    modes = {4: ("PASV", "EPSV"), 6: ("EPSV",)}
    tls = (EXPLICIT, IMPLICIT)
    lacks = {TIMES_UP: "does not send them"}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        if not (NODE_MODULES / "basic-ftp").exists():
            raise Skip("basic-ftp of npm, which tests/run installs where there is npm")

    def environment(self):
        return {"NODE_PATH": str(NODE_MODULES)}

    def put_tree(self, local, remote):
        self.steps([["put_tree", str(local), remote]])

    def get_tree(self, remote, names, local):
        self.steps([["get_tree", remote, str(local)]])
