"""What path-I/O itself costs, without FTP: ratios to a bare ping-pong and to ls, of one run."""

import contextlib
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

from harness import place
from harness.launch import run

REQUESTS = 50_000
ENTRIES = 100_000
FEW_ENTRIES = 1_000
MEMORY_SLACK_KIB = 256


def requests(measure, folder, count):
    """What the program of that name beside this file says."""
    done = run([place.program("requests"), measure, folder, count], limit_s=600)
    return json.loads(done.stdout)


def microseconds(measure, folder):
    told = requests(measure, folder, REQUESTS)
    return told["seconds"] / told["count"] * 1e6


def fill(folder, count):
    folder.mkdir()
    for number in range(count):
        (folder / f"file-{number}").touch()


@contextlib.contextmanager
def folders():
    """One with a file, below it one with few and one with many entries."""
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        (top / "file").touch()
        fill(top / "few", FEW_ENTRIES)
        fill(top / "many", ENTRIES)
        yield top


def seconds_of_ls(folder):
    start = time.monotonic()
    subprocess.run(["ls", "-lU", folder], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def line(name, figures, ratio, goal, met):
    return f"{name:<26}{figures:>36}{ratio:>12}  goal {goal}: {'met' if met else 'MISSED'}"


def of_rounds(rounds, *measures):
    """The median of each, measured in turn."""
    results = [[measure() for measure in measures] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*results)]


def remote_stat(_limits, rounds):
    with folders() as top:
        ping_us, stat_us, stats_us = of_rounds(
            rounds, *(lambda m=m: microseconds(m, top) for m in ("ping", "stat", "stats"))
        )
    slower, faster = stat_us / ping_us, stat_us / stats_us
    return (
        line(
            "remote stat, ping-pong",
            f"{stat_us:.1f} us, {ping_us:.1f} us",
            f"{slower:.2f}",
            "at most 3",
            slower <= 3,
        )
        + "\n"
        + line(
            "remote stat, 64 at a time",
            f"{1e6 / stats_us:,.0f} /s, {1e6 / stat_us:,.0f} /s",
            f"{faster:.2f}",
            "at least 5",
            faster >= 5,
        )
    )


def remote_listing(_limits, rounds):
    with folders() as top:
        few_kib = requests("list", top / "few", ENTRIES)["memory_kib"]
        seen = []

        def ours():
            seen.append(requests("list", top / "many", 2 * ENTRIES))
            return seen[-1]["seconds"]

        our_s, ls_s = of_rounds(rounds, ours, lambda: seconds_of_ls(top / "many"))
    assert all(told["count"] == ENTRIES for told in seen), "not all entries were listed"
    more_kib = max(told["memory_kib"] for told in seen) - few_kib
    return (
        line(
            f"listing of {ENTRIES:,}, ls -lU",
            f"{our_s:.3f} s, {ls_s:.3f} s",
            f"{our_s / ls_s:.2f}",
            "under 3",
            our_s < 3 * ls_s,
        )
        + "\n"
        + line(
            "its memory over a small one",
            f"{more_kib} KiB",
            "",
            f"{MEMORY_SLACK_KIB} KiB",
            more_kib <= MEMORY_SLACK_KIB,
        )
    )


MEASURES = {
    "remote stat": remote_stat,
    "remote listing": remote_listing,
}
