#!/usr/bin/python3 -B
"""The `perm` fact (RFC 3659 §7.5.5) is what this session may do: each letter's verb is tried for real.

For every entry of a folder, MLSD and MLST must promise the same letters; a promised verb must work,
and one that is not promised must fail.
"""

import contextlib
import os
import shutil

from harness import server
from harness.ftp import session
from harness.tap import Suite, check, equal

suite = Suite()

OTHER_UID = 23999  # nobody's account is needed
FILES = {"file": 0o644, "readonly": 0o444, "writeonly": 0o244}
FOLDERS = {"folder": 0o755, "fixed": 0o555, "passage": 0o711}
LINKS = {"to-file": "file", "to-folder": "folder", "to-nothing": "none"}
OTHERS = {"others-file": 0o666, "others-readonly": 0o644}
OTHERS_FOLDERS = {"others-folder": 0o777}
LETTERS = "relcmpawfd"  # what destroys comes last

# user: (what it is, rights of the users file, mode of the folder, owned by somebody else)
WORLDS = {
    "all": ("all rights", "", 0o755, False),
    "fixed": ("all rights, a folder that may not be written", "", 0o555, False),
    "reads": ("rights to read", "/=read+list", 0o755, False),
    "adds": ("rights to add and remove", "/=list+create+append+mkdir+delete+rmdir", 0o755, False),
    "changes": ("rights to change", "/=list+overwrite+rename", 0o755, False),
    "ruled": ("a rule inside", "/=all /here/folder/in=read+list /here/file=list", 0o755, False),
    "sticky": ("a sticky folder of somebody else", "", 0o1777, True),
}


class Place:
    """The folder "here" of a user, made anew entry by entry."""

    def __init__(self, user, mode, is_others):
        self.user, self.mode, self.is_others = user, mode, is_others
        user.folder("here")
        self.names = [*FILES, *FOLDERS, *LINKS, "pipe"]
        if os.geteuid() == 0:
            self.names += [*OTHERS, *OTHERS_FOLDERS]
        for name in self.names:
            self.make(name)
        if is_others:
            os.chown(self.path(), OTHER_UID, OTHER_UID)
        os.chmod(self.path(), mode)

    def path(self, name=""):
        return self.user.path(f"here/{name}")

    def remove(self, name):
        path = self.path(name)
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()

    def make(self, name):
        """The entry as it was in the beginning, whatever has become of it."""
        os.chmod(self.path(), 0o755)
        self.remove(name)
        if name in FILES or name in OTHERS:
            self.user.file(f"here/{name}", b"content", {**FILES, **OTHERS}[name])
        elif name in LINKS:
            os.symlink(LINKS[name], self.path(name))
            self.user.own(self.path(name))
        elif name == "pipe":
            os.mkfifo(self.path(name))
            self.user.own(self.path(name))
        else:
            self.user.file(f"here/{name}/inner", b"content")
            self.user.folder(f"here/{name}/in")
            self.path(name).chmod({**FOLDERS, **OTHERS_FOLDERS}[name])
        if name in OTHERS or name in OTHERS_FOLDERS:
            os.chown(self.path(name), OTHER_UID, OTHER_UID)
        os.chmod(self.path(), self.mode)

    def close(self):
        """Nothing is left that an ordinary user could not remove."""
        os.chmod(self.path(), 0o755)
        for name in self.names:
            self.remove(name)

    def empty(self, name):
        """A folder that RMD can remove, its mode as it was."""
        path = self.path(name)
        if path.is_dir() and not path.is_symlink():
            mode = path.stat().st_mode & 0o7777
            path.chmod(0o755)
            shutil.rmtree(path / "in", ignore_errors=True)
            (path / "inner").unlink(missing_ok=True)
            path.chmod(mode)


def transfers(control, line, body=None):
    """Does a transfer work?"""
    with control.data() as data:
        if control.command(line).code != 150:
            return False
        if body is None:
            data.read()
        else:
            data.write(body)
        return control.reply().code == 226


def works(control, line):
    return control.command(line).code in (200, 250, 257)


def renames(control, name):
    return control.command(f"RNFR here/{name}").code == 350 and works(control, "RNTO here/moved")


VERBS = {
    "r": lambda control, name: transfers(control, f"RETR here/{name}"),
    "e": lambda control, name: works(control, f"CWD here/{name}"),
    "l": lambda control, name: transfers(control, f"LIST here/{name}"),
    "c": lambda control, name: transfers(control, f"STOR here/{name}/new", b"x"),
    "m": lambda control, name: works(control, f"MKD here/{name}/made"),
    "p": lambda control, name: works(control, f"DELE here/{name}/inner"),
    "a": lambda control, name: transfers(control, f"APPE here/{name}", b"x"),
    "w": lambda control, name: transfers(control, f"STOR here/{name}", b"x"),
    "f": renames,
    "d": lambda control, name: works(control, f"DELE here/{name}"),
}


def is_folder(place, name):
    return place.path(name).is_dir()


def applies(place, name, letter):
    """Whether the verb means anything for this type, also through a link."""
    if letter == "f" and name == "pipe":
        return False  # Landlock forbids it, and not every kernel has Landlock
    if letter in "fd":
        return True
    if letter in "elcmp":
        return is_folder(place, name)
    return place.path(name).is_file()


def try_letter(place, control, name, letter):
    if letter == "d" and is_folder(place, name) and name not in LINKS:
        place.empty(name)
        worked = works(control, f"RMD here/{name}")
    else:
        worked = VERBS[letter](control, name)
    if letter == "e" and worked:
        control.command("CWD /", 250)
    if letter not in "rel" and (worked or letter == "d"):
        place.remove("moved")
        place.make(name)
    return worked


def facts(line):
    words, name = line.strip().split(b"; ", 1)
    found = dict(word.split(b"=", 1) for word in words.split(b";"))
    return {key.decode().lower(): value.decode() for key, value in found.items()}, name.decode()


def promised(control, place):
    """{name: letters}, the same by MLSD and MLST."""
    control.command("OPTS MLST type;perm;", 200)
    by_mlsd = {name: fact for fact, name in map(facts, control.lines("MLSD here"))}
    letters = {}
    for name in place.names:
        by_mlst, _ = facts(control.command(f"MLST here/{name}", 250).lines[1])
        equal(by_mlst, by_mlsd[name], f"MLST and MLSD of {name}")
        letters[name] = by_mlst["perm"]
    return letters


def world():
    users = [(name, None, words) for name, (_, words, _, _) in WORLDS.items()]
    return server.configured((*users, ("inner", None, "/=all /here=list")))


@suite.table(list(WORLDS), lambda name: f"every letter and no other: {WORLDS[name][0]}")
def _(world, name):
    _, _, mode, is_others = WORLDS[name]
    if is_others and os.geteuid() != 0:
        mode, is_others = 0o777, False
    user = next(user for user in world.users if user.name == name)
    place = Place(user, mode, is_others)
    with session(world, user) as control, contextlib.closing(place):
        wrong = []
        for entry, letters in promised(control, place).items():
            for letter in LETTERS:
                if not applies(place, entry, letter):
                    check(letter not in letters, f"{letter} of {entry}: {letters}")
                elif try_letter(place, control, entry, letter) != (letter in letters):
                    wrong.append(f"{entry}: perm={letters}, but {letter}")
        equal(wrong, [], "promises")


@suite.case("the root, a folder itself and its parent")
def _(world):
    user = world.users[-1]
    user.folder("here")
    with session(world, user) as control:
        fact, _ = facts(control.command("MLST /", 250).lines[1])
        equal((fact["type"], fact["perm"]), ("dir", "celmp"), "the root by MLST")
        found = {name: fact for fact, name in map(facts, control.lines("MLSD here"))}
        equal((found["."]["type"], found["."]["perm"]), ("cdir", "el"), ".")
        equal((found[".."]["type"], found[".."]["perm"]), ("pdir", "celmp"), "..")


if __name__ == "__main__":
    suite.main(world, at_a_time=4)
