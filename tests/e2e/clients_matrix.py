#!/usr/bin/python3 -B
"""README.md shows the matrix of clients as the tests run it: made from the same classes.

With --print it prints the table."""

import contextlib
import pathlib
import sys

from harness import clients
from harness.clients import CHORES, MIRROR, RESUME_GET, RESUME_PUT, STORE, TIMES_DOWN, TIMES_UP
from harness.tap import Suite, check

suite = Suite()

README = pathlib.Path(__file__).with_name("README.md")
HEADS = ("client", "IPv4", "IPv6", "files", "resumes", "tree of 1,000", "rename, delete", "times", "TLS")


def both(kind, there, back, words):
    """Which of two things it does, and why not the other: words name them."""
    done = [word for ability, word in zip((there, back), words) if ability not in kind.lacks]
    why = next((kind.lacks[one] for one in (there, back) if one in kind.lacks), "")
    return ", ".join(done) + (f" ({why})" if why and done else why)


def tls_said(kind):
    if not kind.tls:
        return kind.tls_says or "-"
    return ", ".join(kind.tls) + (f" ({kind.tls_says})" if kind.tls_says else "")


def cells(kind):
    return (
        kind.name,
        " ".join(kind.modes.get(4, ("-",))),
        " ".join(kind.modes.get(6, ("-",))),
        both(kind, None, STORE, ("fetch", "store")),
        both(kind, RESUME_GET, RESUME_PUT, ("fetch", "store")),
        kind.lacks.get(MIRROR, "as one") + (f" ({kind.unsayable_says})" if kind.unsayable else ""),
        kind.lacks.get(CHORES, "yes"),
        both(kind, TIMES_DOWN, TIMES_UP, ("fetch", "store")),
        tls_said(kind),
    )


def table():
    rows = [HEADS, ["-" * len(head) for head in HEADS], *(cells(kind) for kind in clients.ALL)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


@suite.case("README.md shows the matrix of clients as it is")
def _(_):
    check(table() in README.read_text(), f"it should be:\n{table()}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print(table(), end="")
    else:
        suite.main(contextlib.nullcontext)
