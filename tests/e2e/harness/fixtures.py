"""Files that several programs need: a small tree, a thousand odd names, contents and their sums."""

import hashlib
import os
import random

from .tap import equal


def small_tree(user, name):
    """What commands.txt describes; returns the folder's name."""
    user.folder(f"{name}/empty")
    user.file(f"{name}/file", b"0123456789")
    user.file(f"{name}/text", b"four\nfour\n")
    user.file(f"{name}/full/inner", b"x")
    for file in ("file", "text"):
        os.utime(user.path(f"{name}/{file}"), (1_000_000_000, 1_000_000_000))
    os.symlink("file", user.path(f"{name}/link"))
    user.own(user.path(f"{name}/link"))
    return name


def same(got, want, what):
    """Equal bytes, compared by their sums so that a failure stays readable."""
    sums = [(len(one), hashlib.sha256(one).hexdigest()) for one in (got, want)]
    equal(sums[0], sums[1], what)


def noise(count):
    """So many bytes that repeat only after 1 MiB and one byte, the same each time."""
    return (_NOISE * (count // len(_NOISE) + 1))[:count]


_NOISE = random.Random(2026).randbytes((1 << 20) + 1)


ODD = [
    "plain{n}",
    "two words {n}",
    " leading blank {n}",
    "trailing blank {n} ",
    "double  blank {n}",
    "-dash{n}",
    "--double-dash={n}",
    "'single' {n}",
    '"double" {n}',
    "`back` {n}",
    "back\\slash{n}",
    "star*{n}",
    "question?{n}",
    "[set]{n}",
    "{{brace,comma}}{n}",
    "~tilde{n}",
    "$HOME{n}",
    "%n%s%{n}",
    "semi;colon{n}",
    "a&b|c<d>{n}",
    "#hash{n}",
    "!bang{n}",
    "(round){n}",
    "=a+b,c@d:{n}",
    ".dot{n}",
    "..{n}",
    "...{n}",
    "type=file;size=0; {n}",
    "-rw-r--r-- 1 a b 0 Jan 1 00:00 {n}",
    "link -> {n}",
    "äöüß {n}",
    "日本語 {n}",
    "Ελληνικά {n}",
    "עברית {n}",
    "e\u0301 decomposed {n}",
    "\u00e9 composed {n}",
    "🚪 {n}",
    "\u202e right to left {n}",
    "Δ" * 120 + "{n:015d}",
    "l" * 250 + "{n:05d}",
]


def odd_names(count=1000, skip=()):
    """So many different names, of every kind in turn but those listed in skip, as text."""
    kinds = [kind for kind in ODD if kind not in skip]
    return [kinds[n % len(kinds)].format(n=n) for n in range(count)]
