"""Files in memory beside real ones on tmpfs: 1 GiB fetched, 100,000 entries of a folder."""

import json
import os
import statistics
import time

from harness import place, server
from harness.ftp import session
from harness.launch import run

GIB = 1 << 30
RETR_GOAL = 0.9  # of what the same worker sends from tmpfs
TURNS = 4
ENTRIES, BATCH = 100_000, 1_000
USERS = (
    ("tmpfs", None, "backend=sync"),
    ("memory", None, f"backend=memory memory_limit={3 * GIB}"),
)


def fetch_rate(world, user):
    """Megabytes a second, the load generator dropping what it gets."""
    who = [*world.address, user.name, user.password]
    done = run([place.program("load"), *who, "retr", 1, TURNS, "big"], limit_s=600)
    told = json.loads(done.stdout)
    return told["bytes"] / 1e6 / told["seconds"]


def store(world, user):
    """A file of 1 GiB, by an upload as any other."""
    piece = os.urandom(1 << 20)
    with session(world, user) as control, control.data() as data:
        control.command("STOR big", 150)
        for _ in range(GIB // len(piece)):
            data.socket.sendall(piece)
        data.close()
        control.reply(226)


def measure_fetch(limits, rounds):
    with server.configured(users=USERS, **limits) as world:
        rates = {user.name: [] for user in world.users}
        for user in world.users:
            store(world, user)
            fetch_rate(world, user)  # in the page cache, the process up
        for _ in range(rounds):
            for user in world.users:
                rates[user.name].append(fetch_rate(world, user))
    ours, theirs = (statistics.median(rates[name]) for name in ("memory", "tmpfs"))
    ratio = ours / theirs
    verdict = "met" if ratio >= RETR_GOAL else "MISSED"
    return (
        f"RETR of 1 GiB from memory: {ours:,.0f} MB/s, from tmpfs through sync {theirs:,.0f}: "
        f"ratio {ratio:.2f}; goal {RETR_GOAL}: {verdict}"
    )


def pipelined(control, verb, code):
    """The command on every entry, many in one breath: seconds that each batch took."""
    took = []
    for start in range(0, ENTRIES, BATCH):
        lines = b"".join(b"%s entry-%d\r\n" % (verb, start + i) for i in range(BATCH))
        begun = time.monotonic()
        control.send(lines)
        for _ in range(BATCH):
            control.reply(code)
        took.append(time.monotonic() - begun)
    return took


def measure_user(world, user):
    """Entries a second made, listed and removed; the last tenth's time beside the first's."""
    with session(world, user) as control:
        made = pipelined(control, b"MKD", 257)
        begun = time.monotonic()
        lines = control.fetch("MLSD").count(b"\r\n")
        listed = time.monotonic() - begun
        if lines < ENTRIES:
            raise RuntimeError(f"{lines} lines of {ENTRIES}")
        removed = pipelined(control, b"RMD", 250)
    tenth = len(made) // 10
    slower = sum(made[-tenth:]) / sum(made[:tenth])
    rates = [ENTRIES / seconds for seconds in (sum(made), listed, sum(removed))]
    return "made {:,.0f}/s, listed {:,.0f}/s, removed {:,.0f}/s".format(*rates), slower


def measure_entries(limits, _rounds):
    with server.configured(users=USERS, **limits) as world:
        told = {user.name: measure_user(world, user) for user in world.users}
    return (
        f"100,000 entries in memory: {told['memory'][0]}, "
        f"the last tenth made in {told['memory'][1]:.2f} of the first's time; "
        f"on tmpfs through sync: {told['tmpfs'][0]}"
    )


MEASURES = {"RETR of 1 GiB from memory": measure_fetch, "100,000 entries": measure_entries}
