"""The old ones: tnftp, ncftp and wget, each by its own scripts and options."""

import os
import urllib.parse

from ..fixtures import ODD
from .base import (
    CHORES,
    EXPLICIT,
    IMPLICIT,
    MIRROR,
    RESUME_PUT,
    STORE,
    TIMES_DOWN,
    TIMES_UP,
    Client,
    escaped,
)


class Tnftp(Client):
    name = "tnftp"
    programs = ("tnftp",)
    modes = {4: ("PASV", "EPSV", "PORT", "EPRT"), 6: ("EPSV", "EPRT")}
    lacks = {MIRROR: "file by file", TIMES_UP: "does not send them"}

    def script(self, *lines):
        head = [
            f"open {self.host} {self.port}",
            f"user {escaped(self.user.name)} {escaped(self.user.password)}",
            "binary",
            "prompt off",
            "glob off",
        ]
        if self.mode in ("PASV", "PORT"):
            head.insert(0, "epsv4 off")
        options = ["-n", "-v", "-e", "-p" if self.passive else "-A"]
        return self.run("tnftp", *options, script="\n".join([*head, *lines, "bye", ""]))

    def put(self, local, names, remote):
        self.script(
            *(f"put {escaped(local / name)} {escaped(f'{remote}/{name}')}" for name in names)
        )

    def get(self, remote, names, local):
        self.script(
            *(f"get {escaped(f'{remote}/{name}')} {escaped(local / name)}" for name in names)
        )

    def resume_put(self, local, name, remote):
        offset = self.user.path(f"{remote}/{name}").stat().st_size
        self.script(
            f"restart {offset}", f"put {escaped(local / name)} {escaped(f'{remote}/{name}')}"
        )

    def resume_get(self, remote, name, local):
        self.script(f"reget {escaped(f'{remote}/{name}')} {escaped(local / name)}")

    def rename(self, remote, pairs):
        self.script(
            *(
                f"rename {escaped(f'{remote}/{old}')} {escaped(f'{remote}/{new}')}"
                for old, new in pairs
            )
        )

    def remove(self, remote, names):
        self.script(*(f"delete {escaped(f'{remote}/{name}')}" for name in names))

    def make_folder(self, path):
        self.script(f"mkdir {escaped(path)}")

    def remove_folder(self, path):
        self.script(f"rmdir {escaped(path)}")


class Ncftp(Client):
    name = "ncftp"
    programs = ("ncftpput", "ncftpget")
    modes = {4: ("PASV", "PORT")}
    lacks = {CHORES: "only in its shell"}

    def start(self, program, *arguments):
        login = ["-u", self.user.name, "-p", self.user.password, "-P", str(self.port)]
        self.run(program, *login, "-F" if self.passive else "-E", *arguments)

    def put(self, local, names, remote, *options):
        files = [local / name for name in names]
        self.start("ncftpput", "-V", "-y", *options, self.host, remote, *files)

    def get(self, remote, names, local, *options):
        files = [f"{remote}/{name}" for name in names]
        self.start("ncftpget", "-V", *options, self.host, local, *files)

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, "-z", "-s")  # with sendfile it sends all of it again

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "-z")

    def put_tree(self, local, remote):
        self.start("ncftpput", "-V", "-R", self.host, os.path.dirname(remote) or "/", local)

    def get_tree(self, remote, names, local):
        self.start("ncftpget", "-V", "-R", "-T", self.host, local.parent, remote)


class Wget(Client):
    name = "wget"
    programs = ("wget",)
    tls = (EXPLICIT, IMPLICIT)
    lacks = {
        STORE: "only reads",
        RESUME_PUT: "only reads",
        CHORES: "only reads",
        TIMES_DOWN: "a day, as LIST tells it",
        TIMES_UP: "only reads",
    }
    unsayable_says = "strips blanks, unescapes %25 twice, cuts long names off"
    unsayable = (" leading blank {n}", "%n%s%{n}", *(kind for kind in ODD if len(kind) > 100))

    def start(self, *arguments, script=None):
        login = [f"--user={self.user.name}", f"--password={self.user.password}"]
        mode = [] if self.passive else ["--no-passive-ftp"]
        if self.secured:
            # Under TLS 1.3 it waits a moment for a ticket on each connection, and on a busy machine has given
            # up connections on which there was none yet; under 1.2 the handshake brings it.
            mode += ["--no-check-certificate", "--ftps-resume-ssl", "--ciphers=NORMAL:-VERS-TLS1.3"]
        if self.secured == IMPLICIT:
            mode += ["--ftps-implicit"]
        fixed = [
            "--no-config",
            "--tries=1",
            "--timeout=20",
            "--no-verbose",
            "--restrict-file-names=nocontrol",
        ]
        self.run("wget", *fixed, *login, *mode, *arguments, script=script)

    def url(self, path):
        scheme = "ftps" if self.secured else "ftp"
        return f"{scheme}://{self.url_host}:{self.port}/{urllib.parse.quote(path, safe='/')}"

    def get(self, remote, names, local, *options):
        rows = "\n".join(self.url(f"{remote}/{name}") for name in names)
        self.start("--no-glob", f"--directory-prefix={local}", *options, "-i", "-", script=rows)

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "--continue")

    def get_tree(self, remote, names, local):
        cut = len(remote.strip("/").split("/"))
        here = ["--recursive", "--level=2", "--no-host-directories", f"--cut-dirs={cut}"]
        self.start(*here, f"--directory-prefix={local}", self.url(f"{remote}/"))
