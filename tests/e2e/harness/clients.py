"""Real clients behind one interface: store and fetch files and trees, resume in both directions.

Each client is driven the way its manual says, never helped over a name: what one of them cannot do
by itself (and does wrong with any server) stands in its `cannot`.  Names of files are text.
"""

import ftplib
import os
import pathlib
import re
import shutil
import urllib.parse

from .fixtures import ODD
from .launch import run
from .tap import Skip

LIMIT_S = 120
PASSIVE = ("PASV", "EPSV")
PARALLEL = ("--parallel", "--parallel-max", "4")
LONG = [kind for kind in ODD if len(kind) > 100]


class Client:
    """One way to reach one server: by this client, at this address, in this mode."""

    programs = ()
    modes = {4: ("PASV", "PORT"), 6: ("EPSV", "EPRT")}
    cannot = ()  # kinds of odd names
    stores = True

    def __init__(self, user, address, mode, folder):
        for program in self.programs:
            if not shutil.which(program):
                raise Skip(program)
        self.user, self.mode, self.folder = user, mode, pathlib.Path(folder)
        self.host, self.port = address
        self.passive = mode in PASSIVE

    @property
    def url_host(self):
        return f"[{self.host}]" if ":" in self.host else self.host

    def run(self, *arguments, script=None):
        """Run a program in our folder, which is its home as well; its whole output."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        if script is not None:
            (self.folder / "script").write_text(script)
        with open(self.folder / "script" if script is not None else os.devnull, "rb") as source:
            done = run(arguments, LIMIT_S, cwd=self.folder, env=environment, stdin=source)
        return (done.stdout + done.stderr).decode(errors="replace")

    def put_tree(self, local, remote):
        """Every file of a folder of folders; the remote folders are there already."""
        for folder in sorted(os.listdir(local)):
            self.put(
                pathlib.Path(local, folder),
                os.listdir(pathlib.Path(local, folder)),
                f"{remote}/{folder}",
            )

    def get_tree(self, remote, names, local):
        for folder, files in names.items():
            pathlib.Path(local, folder).mkdir(parents=True)
            self.get(f"{remote}/{folder}", files, pathlib.Path(local, folder))


class Curl(Client):
    programs = ("curl",)
    modes = {4: ("PASV", "EPSV", "PORT", "EPRT"), 6: ("EPSV", "EPRT")}

    def transfer(self, rows, *options):
        """rows: what curl's own configuration file says of each transfer, in one connection."""
        chosen = {
            "PASV": ["--disable-epsv"],
            "EPSV": [],
            "PORT": ["--ftp-port", "-", "--disable-eprt"],
            "EPRT": ["--ftp-port", "-"],
        }[self.mode]
        login = f"{self.user.name}:{self.user.password}"
        fixed = ["--silent", "--show-error", "--globoff", "--fail-early", "--user", login]
        self.run("curl", *fixed, *chosen, *options, "--config", "-", script="\n".join(rows))

    def url(self, remote, name):
        path = urllib.parse.quote(f"{remote}/{name}", safe="/")
        return f"url = {quoted(f'ftp://{self.url_host}:{self.port}/{path}')}"

    def put(self, local, names, remote, *options):
        rows = (f"upload-file = {quoted(local / name)}\n{self.url(remote, name)}" for name in names)
        self.transfer(rows, *options)

    def get(self, remote, names, local, *options):
        rows = (f"output = {quoted(local / name)}\n{self.url(remote, name)}" for name in names)
        self.transfer(rows, *options)

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, "--continue-at", "-")

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "--continue-at", "-")

    # One after the other, curl 7.88 idles for a second whenever the answer to PASV or EPSV is there
    # before it looks for it, as on the loopback.
    def put_tree(self, local, remote):
        for folder in sorted(os.listdir(local)):
            path = pathlib.Path(local, folder)
            self.put(path, os.listdir(path), f"{remote}/{folder}", *PARALLEL)

    def get_tree(self, remote, names, local):
        for folder, files in names.items():
            path = pathlib.Path(local, folder)
            path.mkdir(parents=True)
            self.get(f"{remote}/{folder}", files, path, *PARALLEL)


class Lftp(Client):
    programs = ("lftp",)
    modes = {4: ("PASV", "EPSV", "PORT"), 6: ("EPSV",)}  # its EPRT announces :: on the loopback

    def script(self, *lines):
        settings = {
            "cmd:fail-exit": "yes",
            "net:max-retries": "1",
            "net:timeout": "20",
            "ftp:ssl-allow": "no",
            "ftp:list-options": "-a",
            "ftp:use-mode-z": "yes",
            "ftp:mode-z-level": "1",
            "ftp:passive-mode": "yes" if self.passive else "no",
            "ftp:prefer-epsv": "yes" if self.mode == "EPSV" else "no",
        }
        head = [f"set {name} {value}" for name, value in settings.items()]
        login = quoted(f"{self.user.name},{self.user.password}")
        head.append(f"open -u {login} -p {self.port} {self.host}")
        return self.run("lftp", "--norc", "-f", "/dev/stdin", script="\n".join([*head, *lines, "bye", ""]))

    def put(self, local, names, remote, *options):
        rows = (
            f"put {' '.join(options)} -O {quoted(remote)} -- {quoted(local / name)}"
            for name in names
        )
        self.script(*rows)

    def get(self, remote, names, local, *options):
        rows = (
            f"get {' '.join(options)} -O {quoted(local)} -- {quoted(f'{remote}/{name}')}"
            for name in names
        )
        self.script(*rows)

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, "-c")

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "-c")

    def put_tree(self, local, remote):
        self.script(f"mirror --reverse --parallel=4 --no-perms {quoted(local)} {quoted(remote)}")

    def get_tree(self, remote, names, local):
        self.script(f"mirror --parallel=4 --no-perms {quoted(remote)} {quoted(local)}")


class Tnftp(Client):
    programs = ("tnftp",)
    modes = {4: ("PASV", "EPSV", "PORT", "EPRT"), 6: ("EPSV", "EPRT")}

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
            *(f"put {escaped(f'{local}/{name}')} {escaped(f'{remote}/{name}')}" for name in names)
        )

    def get(self, remote, names, local):
        self.script(
            *(f"get {escaped(f'{remote}/{name}')} {escaped(f'{local}/{name}')}" for name in names)
        )

    def resume_put(self, local, name, remote):
        offset = self.user.path(f"{remote}/{name}").stat().st_size
        self.script(
            f"restart {offset}", f"put {escaped(local / name)} {escaped(f'{remote}/{name}')}"
        )

    def resume_get(self, remote, name, local):
        self.script(f"reget {escaped(f'{remote}/{name}')} {escaped(local / name)}")


class Ncftp(Client):
    programs = ("ncftpput", "ncftpget")
    modes = {4: ("PASV", "PORT")}

    def start(self, program, *arguments):
        login = ["-u", self.user.name, "-p", self.user.password, "-P", str(self.port)]
        self.run(program, *login, "-V", "-F" if self.passive else "-E", *arguments)

    def put(self, local, names, remote, *options):
        files = [local / name for name in names]
        self.start("ncftpput", *options, self.host, remote, *files)

    def get(self, remote, names, local, *options):
        self.start("ncftpget", *options, self.host, local, *(f"{remote}/{name}" for name in names))

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, "-z", "-s")  # with sendfile it sends all of it again

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "-z")

    def put_tree(self, local, remote):
        self.start("ncftpput", "-R", self.host, os.path.dirname(remote) or "/", local)

    def get_tree(self, remote, names, local):
        self.start("ncftpget", "-R", "-T", self.host, local.parent, remote)


class Wget(Client):
    programs = ("wget",)
    cannot = (" leading blank {n}", "%n%s%{n}", *LONG)  # strips, unescapes twice, cuts off
    stores = False

    def start(self, *arguments, script=None):
        login = [f"--user={self.user.name}", f"--password={self.user.password}"]
        mode = [] if self.passive else ["--no-passive-ftp"]
        plain = [
            "--no-config",
            "--tries=1",
            "--timeout=20",
            "--no-verbose",
            "--restrict-file-names=nocontrol",
        ]
        self.run("wget", *plain, *login, *mode, *arguments, script=script)

    def url(self, path):
        return f"ftp://{self.url_host}:{self.port}/{urllib.parse.quote(path, safe='/')}"

    def get(self, remote, names, local, *options):
        rows = [self.url(f"{remote}/{name}") for name in names]
        self.start(
            "--no-glob", f"--directory-prefix={local}", *options, "-i", "-", script="\n".join(rows)
        )

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "--continue")

    def get_tree(self, remote, names, local):
        cut = len(remote.strip("/").split("/"))
        here = ["--recursive", "--level=2", "--no-host-directories", f"--cut-dirs={cut}"]
        self.start(*here, f"--directory-prefix={local}", self.url(f"{remote}/"))


class Ftplib(Client):
    def connect(self):
        connection = ftplib.FTP(timeout=LIMIT_S, encoding="utf-8")
        connection.connect(self.host, self.port)
        connection.login(self.user.name, self.user.password)
        connection.set_pasv(self.passive)
        return connection

    def put(self, local, names, remote, rest=None):
        with self.connect() as connection:
            for name in names:
                with open(local / name, "rb") as file:
                    file.seek(rest or 0)
                    connection.storbinary(f"STOR {remote}/{name}", file, 65536, rest=rest)

    def get(self, remote, names, local, rest=None):
        with self.connect() as connection:
            for name in names:
                with open(local / name, "ab" if rest else "wb") as file:
                    connection.retrbinary(f"RETR {remote}/{name}", file.write, 65536, rest=rest)

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, rest=self.user.path(f"{remote}/{name}").stat().st_size)

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, rest=(local / name).stat().st_size)


ALL = (Curl, Lftp, Tnftp, Ncftp, Wget, Ftplib)


def quoted(text):
    """In double quotes, as the scripts of curl and lftp understand it."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(text):
    """Without quotes, inside which tnftp knows no backslash."""
    return re.sub(r'([\\" \t])', r"\\\1", str(text))
