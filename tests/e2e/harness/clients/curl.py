"""curl, by its own configuration file: one connection for all that is asked at once."""

import pathlib
import urllib.parse

from .base import EXPLICIT, IMPLICIT, MIRROR, TIMES_UP, Client, quoted

# One after the other, curl 7.88 idles for a second whenever the answer to PASV or EPSV is there
# before it looks for it, as on the loopback.
PARALLEL = ("--parallel", "--parallel-max", "16")


class Curl(Client):
    name = "curl"
    programs = ("curl",)
    modes = {4: ("PASV", "EPSV", "PORT", "EPRT"), 6: ("EPSV", "EPRT")}
    tls = (EXPLICIT, IMPLICIT)
    tls_modes = {4: ("PASV", "EPSV"), 6: ("EPSV",)}
    tls_says = "7.88 loses the address of an active data connection"
    lacks = {MIRROR: "file by file", TIMES_UP: "does not send them"}

    def start(self, rows, *options):
        """rows: what the configuration file says of each transfer."""
        mode = {
            "PASV": ["--disable-epsv"],
            "EPSV": [],
            "PORT": ["--ftp-port", "-", "--disable-eprt"],
            "EPRT": ["--ftp-port", "-"],
        }[self.mode]
        login = f"{self.user.name}:{self.user.password}"
        fixed = ["--silent", "--show-error", "--globoff", "--fail-early", "--user", login]
        if self.secured:
            fixed += ["--insecure", "--ssl-reqd"]
        self.run("curl", *fixed, *mode, *options, "--config", "-", script="\n".join(rows))

    def url(self, path):
        scheme = "ftps" if self.secured == IMPLICIT else "ftp"
        path = urllib.parse.quote(path, safe="/")
        return f"url = {quoted(f'{scheme}://{self.url_host}:{self.port}/{path}')}"

    def put(self, local, names, remote, *options):
        pairs = ((local / name, f"{remote}/{name}") for name in names)
        self.start(self.puts(pairs), *options)

    def puts(self, pairs):
        return (f"upload-file = {quoted(local)}\n{self.url(path)}" for local, path in pairs)

    def get(self, remote, names, local, *options):
        pairs = ((f"{remote}/{name}", local / name) for name in names)
        self.start(self.gets(pairs), "--remote-time", *options)

    def gets(self, pairs):
        return (f"output = {quoted(local)}\n{self.url(path)}" for path, local in pairs)

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, "--continue-at", "-")

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "--continue-at", "-")

    def put_tree(self, local, remote):
        names = (path.relative_to(local) for path in pathlib.Path(local).glob("*/*"))
        pairs = ((local / name, f"{remote}/{name}") for name in names)
        self.start(self.puts(pairs), *PARALLEL)

    def get_tree(self, remote, names, local):
        pairs = []
        for folder, files in names.items():
            path = pathlib.Path(local, folder)
            path.mkdir(parents=True)
            pairs += [(f"{remote}/{folder}/{name}", path / name) for name in files]
        self.start(self.gets(pairs), *PARALLEL)

    def say(self, *commands):
        """Commands of FTP, and nothing else."""
        rows = [f"quote = {quoted(command)}" for command in commands]
        self.start([*rows, "head", 'output = "/dev/null"', self.url("")])

    def rename(self, remote, pairs):
        for old, new in pairs:
            self.say(f"RNFR {remote}/{old}", f"RNTO {remote}/{new}")

    def remove(self, remote, names):
        self.say(*(f"DELE {remote}/{name}" for name in names))

    def make_folder(self, path):
        self.say(f"MKD {path}")

    def remove_folder(self, path):
        self.say(f"RMD {path}")
