"""rclone and aria2: programs that carry many files at a time, each in its own way."""

import urllib.parse

from .base import (
    CHORES,
    EXPLICIT,
    IMPLICIT,
    MIRROR,
    RESUME_GET,
    RESUME_PUT,
    STORE,
    TIMES_UP,
    Client,
)


class Rclone(Client):
    """The remote `there:` is the server; the names given are relative to both folders."""

    name = "rclone"
    programs = ("rclone",)
    modes = {4: ("PASV", "EPSV"), 6: ("EPSV",)}
    tls = (EXPLICIT, IMPLICIT)
    lacks = {RESUME_GET: "begins anew", RESUME_PUT: "begins anew"}
    tls_says = "one connection at a time: it mixes up the sessions of several"

    def start(self, verb, *arguments, script=None):
        secret = self.run("rclone", "obscure", self.user.password).strip()
        remote = {
            "type": "ftp",
            "host": self.url_host,
            "port": self.port,
            "user": self.user.name,
            "pass": secret,
            "encoding": "Slash",  # names as they are
            "disable_epsv": str(self.mode == "PASV").lower(),
            "explicit_tls": str(self.secured == EXPLICIT).lower(),
            "tls": str(self.secured == IMPLICIT).lower(),
            "no_check_certificate": "true",
        }
        own = {f"RCLONE_CONFIG_THERE_{key.upper()}": str(value) for key, value in remote.items()}
        own["RCLONE_CONFIG"] = str(self.folder / "rclone.conf")
        fixed = ["--retries=1", "--low-level-retries=1", "--config", "/dev/null"]
        if self.secured:
            fixed += ["--ftp-concurrency=1", "--transfers=1", "--checkers=1"]
        return self.run("rclone", verb, *fixed, *arguments, script=script, environment=own)

    def put(self, local, names, remote):
        rows = "\n".join(names)
        self.start("copy", "--files-from-raw", "-", local, f"there:{remote}", script=rows)

    def get(self, remote, names, local):
        rows = "\n".join(names)
        self.start("copy", "--files-from-raw", "-", f"there:{remote}", local, script=rows)

    def put_tree(self, local, remote):
        self.start("sync", local, f"there:{remote}")

    def get_tree(self, remote, names, local):
        self.start("sync", f"there:{remote}", local)

    def rename(self, remote, pairs):
        for old, new in pairs:
            self.start("moveto", f"there:{remote}/{old}", f"there:{remote}/{new}")

    def remove(self, remote, names):
        for name in names:
            self.start("deletefile", f"there:{remote}/{name}")

    def make_folder(self, path):
        self.start("mkdir", f"there:{path}")

    def remove_folder(self, path):
        self.start("rmdir", f"there:{path}")


class Aria2(Client):
    name = "aria2"
    programs = ("aria2c",)
    lacks = {
        STORE: "only reads",
        RESUME_PUT: "only reads",
        MIRROR: "file by file",
        CHORES: "only reads",
        TIMES_UP: "only reads",
    }
    unsayable_says = "its list strips blanks"
    unsayable = (" leading blank {n}", "trailing blank {n} ")

    def get(self, remote, names, local, *options):
        rows = []
        for name in names:
            path = urllib.parse.quote(f"{remote}/{name}", safe="/")
            rows += [f"ftp://{self.url_host}:{self.port}/{path}", f"  dir={local}", f"  out={name}"]
        login = [f"--ftp-user={self.user.name}", f"--ftp-passwd={self.user.password}"]
        fixed = [
            "--no-conf",
            "--quiet",
            "--max-tries=1",
            "--split=1",
            "--file-allocation=none",
            "--remote-time",
            "--ftp-reuse-connection=false",  # or it waits for a 226 that it read with the 150
            "--allow-overwrite",
            "--auto-file-renaming=false",
            f"--ftp-pasv={str(self.passive).lower()}",
        ]
        script = "\n".join(rows)
        self.run("aria2c", *fixed, *login, *options, "--input-file=-", script=script)

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "--continue")
