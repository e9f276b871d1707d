#!/usr/bin/python3 -B
"""The matrix of clients: rclone and aria2 (see harness/matrix.py for what each is asked), and what
rclone makes of a folder as a whole."""

import os

from harness import matrix
from harness.clients import Aria2, Rclone
from harness.fixtures import noise
from harness.tap import Failure, check, equal

suite = matrix.plain(Rclone, Aria2)

TREE = {"a": 10, "b/c": 300_000, "b/d/e f": 1, "g/ü": 0}


def contents(root):
    """{path: content} of every file below."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@suite.table(matrix.rows_of(Rclone), lambda row: f"{matrix.title(row)}: copy, check, sync, move, purge")
def _(world, row):
    wanted = {name: noise(size) for name, size in TREE.items()}
    with matrix.at_work(world, row) as bench:
        rclone, local = bench.client.start, bench.folder / "local"
        for name, content in wanted.items():
            (local / name).parent.mkdir(parents=True, exist_ok=True)
            (local / name).write_bytes(content)
        there = f"there:{bench.remote}"

        rclone("copy", local, f"{there}/copied")
        equal(contents(bench.there("copied")), wanted, "copied")
        rclone("check", "--download", local, f"{there}/copied")

        bench.there("copied/a").write_bytes(b"0123456789")
        try:
            rclone("check", "--download", local, f"{there}/copied")
        except Failure:
            pass
        else:
            raise Failure("rclone takes another content for the same")
        bench.put_there("copied/extra", b"x")
        os.utime(bench.there("copied/a"), (matrix.LONG_AGO, matrix.LONG_AGO))
        rclone("sync", local, f"{there}/copied")
        equal(contents(bench.there("copied")), wanted, "synchronised")

        rclone("move", f"{there}/copied", f"{there}/moved")
        equal(contents(bench.there("moved")), wanted, "moved on the server")
        rclone("move", f"{there}/moved", bench.folder / "back")
        equal(contents(bench.folder / "back"), wanted, "moved here")
        equal(contents(bench.there("moved")), {}, "left after the move")

        rclone("copy", local, f"{there}/doomed")
        rclone("purge", f"{there}/doomed")
        check(not bench.there("doomed").exists(), "not purged")


if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
