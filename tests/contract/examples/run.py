#!/usr/bin/python3 -B
"""Runs the example programs, each in a folder of its own, and compares what they print and leave.

    run.py FOLDER SALLYPORTD        FOLDER: where they were built

The README shows the first one; it must be the one that runs here.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parents[2] / "README.md"
LIVENESS_S = 60

PROGRAMS = {  # what it prints, what is in its folder afterwards
    "basic": ("before: not there\nsize: 13\nhello, world\n", ["greeting"]),
    "ten_files": (
        "written: all\nlisted: 10 files, 230 bytes\n",
        [f"file-{number:02}" for number in range(1, 11)],
    ),
    "memory": ("read back: kept in memory\nlisted: file, 14 bytes\n", []),
    "nursery": (
        "the second reads: by the first\nthe first's handle: unknown to the second\n",
        [],
    ),
    "server": (
        "NLST: hello\nRETR hello: stored over FTP\nthe server has ended\n",
        ["conf", "home", "home/hello", "users"],
    ),
    "derived": (
        "derived: mkdir 1, open 1, write 2\n  folder/\n    file\n",
        ["folder", "folder/file"],
    ),
}


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def run(name, built, sallyportd):
    """None, or what was not as it should be."""
    said, left = PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="sallyport-example-") as folder:
        os.chmod(folder, 0o755)
        arguments = [sallyportd, folder] if name == "server" else [folder]
        done = subprocess.run(
            [built / f"example_{name}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIVENESS_S,
            text=True,
        )
        if done.returncode != 0 or done.stdout != said:
            return f"status {done.returncode}, printed {done.stdout!r} instead of {said!r}"
        if names(pathlib.Path(folder)) != left:
            return f"left {names(pathlib.Path(folder))} instead of {left}"
    return None


def shown():
    """None, or that the README shows another program than basic.c from its main() on."""
    source = (HERE / "basic.c").read_text()
    body = source[source.index("int\nmain(") :]
    return None if body in README.read_text() else "README.md does not show basic.c as it is"


def main():
    built, sallyportd = pathlib.Path(sys.argv[1]), sys.argv[2]
    cases = [(f"example {name}", run, (name, built, sallyportd)) for name in PROGRAMS]
    cases.append(("the README shows the first", shown, ()))
    print(f"1..{len(cases)}")
    failed = 0
    for number, (name, function, arguments) in enumerate(cases, 1):
        try:
            wrong = function(*arguments)
        except (OSError, subprocess.SubprocessError) as error:
            wrong = str(error)
        failed += wrong is not None
        print("not ok" if wrong else "ok", number, "-", name)
        if wrong:
            print("#", wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
