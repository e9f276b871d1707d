"""What all clients have in common: where they go, how they are run, what may be asked of them."""

import os
import pathlib
import re
import shutil

from ..launch import run
from ..tap import Skip

LIMIT_S = 120
PASSIVE = ("PASV", "EPSV")
EXPLICIT, IMPLICIT = "explicit", "implicit"  # how TLS begins: by AUTH, or before the greeting

# What a client may lack; each is a column of the matrix.
STORE, RESUME_GET, RESUME_PUT = "store", "resume a fetch", "resume a store"
MIRROR, CHORES = "mirror", "rename and delete"
TIMES_DOWN, TIMES_UP = "fetch times", "store times"


class Client:
    """One way to reach one server: by this client, at this address, in this mode, over TLS or not.

    Names of files are text, folders on the server are paths from its root without the slash.
    """

    name = ""
    programs = ()
    modes = {4: ("PASV", "PORT"), 6: ("EPSV", "EPRT")}
    tls = ()  # how it can begin TLS
    tls_modes = None  # where they are not those without TLS
    tls_says = ""  # what else there is to know of it then
    resumes_sessions = True  # on data connections: the session of its control connection
    lacks = {}  # what it cannot do, and why
    unsayable = ()  # kinds of odd names that it gets wrong with any server
    unsayable_says = ""  # which these are

    def __init__(self, user, address, mode, folder, tls=None):
        for program in self.programs:
            if not shutil.which(program):
                raise Skip(program)
        self.user, self.mode, self.folder = user, mode, pathlib.Path(folder)
        self.host, self.port = address[:2]
        self.passive = mode in PASSIVE
        self.secured = tls

    @property
    def url_host(self):
        return f"[{self.host}]" if ":" in self.host else self.host

    def run_apart(self, *arguments, script=None, environment=()):
        """Run a program in our folder, which is its home as well; its completed process."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        own.update(environment)
        if script is not None:
            (self.folder / "script").write_text(script)
        with open(self.folder / "script" if script is not None else os.devnull, "rb") as source:
            return run(arguments, LIMIT_S, cwd=self.folder, env=own, stdin=source)

    def run(self, *arguments, **options):
        """The same; its whole output, as text."""
        done = self.run_apart(*arguments, **options)
        return (done.stdout + done.stderr).decode(errors="replace")

    # What follows is how a client does it that knows single files only, and keeps their times.

    def put_tree(self, local, remote):
        """Every file of a folder of folders; the remote folders are there already."""
        for folder in sorted(os.listdir(local)):
            path = pathlib.Path(local, folder)
            self.put(path, os.listdir(path), f"{remote}/{folder}")

    def get_tree(self, remote, names, local):
        for folder, files in names.items():
            path = pathlib.Path(local, folder)
            path.mkdir(parents=True)
            self.get(f"{remote}/{folder}", files, path)

    def time_of(self, remote, name):
        """The time of a file as this client learns it, in seconds since the epoch."""
        self.get(remote, [name], self.folder)
        return int((self.folder / name).stat().st_mtime)


class Stepped(Client):
    """A library: what is asked of it are steps, lists of words, all of them done in one connection."""

    def steps(self, rows):
        """Do them in order; what the last one tells, if anything."""
        raise NotImplementedError

    def put(self, local, names, remote):
        self.steps(["put", str(local / name), f"{remote}/{name}", 0] for name in names)

    def get(self, remote, names, local):
        self.steps(["get", f"{remote}/{name}", str(local / name), 0] for name in names)

    def resume_put(self, local, name, remote):
        there = self.user.path(f"{remote}/{name}").stat().st_size
        self.steps([["put", str(local / name), f"{remote}/{name}", there]])

    def resume_get(self, remote, name, local):
        here = (local / name).stat().st_size
        self.steps([["get", f"{remote}/{name}", str(local / name), here]])

    def rename(self, remote, pairs):
        self.steps(["rename", f"{remote}/{old}", f"{remote}/{new}"] for old, new in pairs)

    def remove(self, remote, names):
        self.steps(["delete", f"{remote}/{name}"] for name in names)

    def make_folder(self, path):
        self.steps([["make_folder", path]])

    def remove_folder(self, path):
        self.steps([["remove_folder", path]])

    def time_of(self, remote, name):
        return self.steps([["time", f"{remote}/{name}"]])


def quoted(text):
    """In double quotes, as the scripts of curl and lftp understand it."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(text):
    """Without quotes, inside which tnftp knows no backslash."""
    return re.sub(r'([\\" \t])', r"\\\1", str(text))
