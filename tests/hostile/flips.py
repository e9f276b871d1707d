#!/usr/bin/python3 -B
"""Links that lead out of the root and change places with folders and files, as fast as a process can
swap them, while clients use their names with every verb: HOSTILE class 21.

What is outside is the user's own, so that nothing but the worker's care protects it; it stays as it
is to the nanosecond, and nothing of it is told.  Each case goes on until it has met both, the folder
and the link.
"""

import contextlib
import ctypes
import os
import shutil
import stat
import subprocess
import sys

from siege import Siege, besieged, check, equal, session

TRIES = 100  # each a command or a few; for every verb and each backend
TRIES_MOST = 100 * TRIES  # to meet both
INSIDE, OUTSIDE = b"of the inside", b"of the outside, and longer"
SECRET = b"secret"  # a name that is outside only
RENAME_EXCHANGE = 2

suite = Siege()

USERS = (
    ("sync", None, "backend=sync /=all+symlink"),
    ("threaded", None, "backend=threaded /=all+symlink"),
    ("refusing", None, "backend=threaded symlinks=refuse /=all+symlink"),
)


def flip(pairs):
    """The other process's work: every pair changes places, again and again."""
    libc = ctypes.CDLL(None)
    encoded = [(os.fsencode(one), os.fsencode(other)) for one, other in pairs]
    while True:
        for one, other in encoded:
            libc.renameat2(-100, one, -100, other, RENAME_EXCHANGE)


class Scene:
    """tree/d and tree/f inside, tree/l and tree/k that lead out, and they change places.

    What is done here while they do goes by descriptors: it must not fall for them either.
    """

    def __init__(self, world, name):
        self.user = next(user for user in world.users if user.name == name)
        self.outside = outside_of(self.user)
        self.home = self.inside = self.tree = None

    def target(self, link):
        return f"../../../{self.outside.name}" + {"l": "", "k": "/file"}[link]

    def build(self):
        """The tree anew, in place of the one that there is."""
        for folder in ("fresh", "fresh/d", "fresh/d/sub"):
            self.user.folder(folder)
        for file in ("fresh/d/file", "fresh/d/sub/file", "fresh/f"):
            self.user.file(file, INSIDE)
        for link in "lk":
            os.symlink(self.target(link), self.user.path(f"fresh/{link}"))
        inside, tree = (
            os.open(self.user.path(name), os.O_RDONLY | os.O_DIRECTORY)
            for name in ("fresh/d", "fresh")
        )
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.user.path("tree"), self.user.path("old"))
            shutil.rmtree(self.user.path("old"))
        os.rename(self.user.path("fresh"), self.user.path("tree"))
        self.close()
        self.inside, self.tree = inside, tree
        self.home = os.open(self.user.home, os.O_RDONLY | os.O_DIRECTORY)

    def close(self):
        for descriptor in (self.home, self.inside, self.tree):
            if descriptor is not None:
                os.close(descriptor)
        self.home = self.inside = self.tree = None

    def make_file(self, name, folder):
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            made = os.open(name, flags, 0o644, dir_fd=folder)
            os.write(made, INSIDE)
            if os.geteuid() == 0:
                os.fchown(made, self.user.uid, self.user.uid)
            os.close(made)

    def repair(self):
        """What the last try has taken away, or made."""
        self.make_file("file", self.inside)
        self.make_file("mine", self.home)
        for name, folder in (("new", self.inside), ("brought", self.home)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
        kinds = set()
        for name in "fk" * 5:  # they change places between two looks
            with contextlib.suppress(FileNotFoundError):
                kinds.add(stat.S_IFMT(os.lstat(name, dir_fd=self.tree).st_mode))
        if stat.S_IFLNK not in kinds:
            os.symlink(self.target("k"), "again", dir_fd=self.tree)
        elif stat.S_IFREG not in kinds:
            self.make_file("again", self.tree)
        else:
            return
        missing = [name for name in "fk" if name not in os.listdir(self.tree)] or ["k"]
        os.rename("again", missing[0], src_dir_fd=self.tree, dst_dir_fd=self.tree)

    @contextlib.contextmanager
    def flipping(self):
        self.build()
        names = [str(self.user.path(f"tree/{name}")) for name in "dlfk"]
        flipper = subprocess.Popen([sys.executable, "-B", __file__, "--flip", *names])
        try:
            yield
        finally:
            flipper.kill()
            flipper.wait()
            self.close()


def outside_of(user):
    return user.home.parent.parent / f"outside {user.name}"


@contextlib.contextmanager
def besieged_by_links():
    with besieged(users=USERS) as world:
        for user in world.users:
            outside = outside_of(user)
            (outside / "sub").mkdir(parents=True)
            for name in ("file", SECRET.decode(), f"sub/{SECRET.decode()}"):
                (outside / name).write_bytes(OUTSIDE)
            for place in (outside, *outside.rglob("*")):
                user.own(place)
        yield world


def look(folder):
    """All that there is, with its times and modes."""
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        seen = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(seen.st_mode) else b""
        found[path] = (seen.st_mode, seen.st_uid, seen.st_nlink, seen.st_size, seen.st_mtime_ns,
                       seen.st_ctime_ns, content)
    return found


def command(control, text):
    answer = control.command(text)
    check(SECRET not in b"".join(answer.lines), f"{text}: {answer}")
    if text.startswith("SIZE") and answer.code == 213:
        equal(answer.text, b"%d" % len(INSIDE), text)
    return answer.code


def transfer(control, text, body=None):
    """Code of the refusal, or of the end."""
    with control.data() as data:
        answer = control.command(text)
        if answer.code != 150:
            return answer.code
        if body is None:
            got = data.read()
            check(OUTSIDE not in got and SECRET not in got, f"{text}: {got}")
        else:
            data.write(body)
        return control.reply().code


# What is tried. A file that is read is INSIDE, or refused.
READ = ["RETR tree/d/file", "RETR tree/f"]
LISTED = ["LIST tree/d", "NLST tree/d/*", "MLSD tree/d", "LIST -R tree", "NLST tree/*/*"]
STORED = ["STOR tree/d/file", "APPE tree/d/file", "STOR tree/d/new", "STOR tree/f", "APPE tree/f"]
COMMANDS = [
    "SIZE tree/d/file",
    "SIZE tree/f",
    "MDTM tree/d/file",
    "MLST tree/d/file",
    "STAT tree/d",
    "HASH tree/d/file",
    "HASH tree/f",
    "DELE tree/d/file",
    "DELE tree/d/secret",
    "MKD tree/d/made && RMD tree/d/made",
    "RMD tree/d/sub",
    "SITE MKDIR tree/d/a/b && SITE RMDIR tree/d/a",
    "RNFR tree/d/file && RNTO tree/d/new",
    "RNFR tree/d/file && RNTO brought",
    "RNFR mine && RNTO tree/d/new",
    "MFMT 20200102030405 tree/d/file",
    "MFMT 20200102030405 tree/f",
    "MFF Modify=20200102030405;UNIX.mode=0600; tree/d/file",
    "SITE CHMOD 600 tree/d/file",
    "SITE CHMOD 600 tree/f",
    "SITE UTIME 202001020304 tree/d/file",
    'SITE SYMLINK "x" "tree/d/new"',
    'SITE COPY "tree/d/file" "brought"',
    'SITE COPY "tree/f" "brought"',
    'SITE COPY "mine" "tree/d/new"',
    "COMB brought tree/d/file",
    "COMB brought tree/f",
    "COMB tree/d/new mine",
    "CWD tree/d && CDUP && CDUP",
]
# Whether it is the folder or the link that they meet, the answer is the same.
ALIKE = {"DELE tree/d/secret", "RMD tree/d/sub", "STAT tree/d", *LISTED}


def attempts():
    for name, _, _ in USERS:
        for text in READ + LISTED + STORED + (COMMANDS if name != "refusing" else []):
            yield name, text


def attempt(control, text):
    """The codes of it all."""
    if text in READ + LISTED:
        return (transfer(control, text),)
    if text in STORED:
        return (transfer(control, text, INSIDE),)
    return tuple(command(control, part) for part in text.split(" && "))


def is_met(seen):
    """Some went well, and some did not."""
    good = {codes for codes in seen if all(code < 400 for code in codes)}
    return good and seen - good


def check_brought(scene, text):
    with contextlib.suppress(FileNotFoundError):
        brought = os.open("brought", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=scene.home)
        with open(brought, "rb") as file:
            equal(file.read(), INSIDE, f"{text}: what came of it")


@suite.table(list(attempts()), lambda row: f"HOSTILE 21: {row[0]}: {row[1]}")
def _(world, row):
    name, text = row
    scene, seen, tries = Scene(world, name), set(), 0
    before = look(scene.outside)
    with scene.flipping(), session(world, scene.user) as control:
        while tries < TRIES or not (text in ALIKE or is_met(seen)):
            check(tries < TRIES_MOST, f"one of the two was never met: {seen}")
            seen.add(attempt(control, text))
            check_brought(scene, text)
            scene.repair()
            tries += 1
    equal(look(scene.outside), before, "what is outside")


@suite.table([user[0] for user in USERS], lambda name: f"HOSTILE 21: {name}: a tree is removed")
def _(world, name):
    scene = Scene(world, name)
    before = look(scene.outside)
    with scene.flipping(), session(world, scene.user) as control:
        for _ in range(TRIES):
            control.command("RMDA tree", 250, 450, 550)
            scene.build()
    equal(look(scene.outside), before, "what is outside")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--flip"]:
        names = sys.argv[2:]
        flip(list(zip(names[::2], names[1::2])))
    suite.main(besieged_by_links)
