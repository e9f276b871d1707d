#!/usr/bin/python3 -B
"""Real clients: curl, lftp, tnftp, ncftp, wget and Python's ftplib against the running server.

Each client, over IPv4 and [::1] and in each way it knows to make data connections: stores and
fetches 0 bytes, 1 byte, 1 MiB and 100 MiB, resumes in both directions, and carries a tree of 1,000
files with odd names.  What is compared is the content on the server's disk and in the client's hands.
"""

import contextlib
import hashlib
import itertools
import os
import pathlib
import shutil

from harness import clients, place, server
from harness.fixtures import noise, odd_names
from harness.tap import Skip, Suite, equal

suite = Suite()

AT_A_TIME = 2
numbers = itertools.count(1)

SIZES = {"empty": 0, "one": 1, "mebi": 1 << 20, "hundred": 100 << 20}
FILES_PER_FOLDER = 50

ROWS = [
    (client, family, mode)
    for client in clients.ALL
    for family, modes in client.modes.items()
    for mode in modes
]
TREE_ROWS = [row for row in ROWS if row[2] in (row[0].modes[row[1]][0], "EPRT")]


def title(row):
    client, family, mode = row
    return f"{client.__name__.lower()}, IPv{family}, {mode}"


@contextlib.contextmanager
def at_work(world, row):
    """(the client, its own folder, its folder on the server)"""
    kind, family, mode = row
    address = world.address if family == 4 else world.address6
    if not address:
        raise Skip("[::1]")
    remote = f"{kind.__name__}-{family}-{mode}-{next(numbers)}"
    world.user.folder(remote)
    with place.temporary_folder() as folder:
        yield kind(world.user, address, mode, folder), folder, remote
    shutil.rmtree(world.user.path(remote))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums(folder):
    """{name: digest} of a folder's files, as text."""
    return {name: digest(pathlib.Path(folder, name)) for name in sorted(os.listdir(folder))}


def write_sizes(write):
    for name, size in SIZES.items():
        write(name, noise(size))


@suite.table(ROWS, lambda row: f"{title(row)}: sizes")
def _(world, row):
    with at_work(world, row) as (client, folder, remote):
        write_sizes(lambda name, content: world.user.file(f"{remote}/{name}", content))
        wanted = sums(world.user.path(remote))
        (folder / "down").mkdir()
        client.get(remote, list(SIZES), folder / "down")
        equal(sums(folder / "down"), wanted, "fetched")
        if client.stores:
            world.user.folder(f"{remote}-up")
            client.put(folder / "down", list(SIZES), f"{remote}-up")
            equal(sums(world.user.path(f"{remote}-up")), wanted, "stored")
            shutil.rmtree(world.user.path(f"{remote}-up"))


@suite.table(ROWS, lambda row: f"{title(row)}: resumes")
def _(world, row):
    whole, half = noise(3_000_000), noise(1_234_567)
    with at_work(world, row) as (client, folder, remote):
        world.user.file(f"{remote}/file", whole)
        (folder / "file").write_bytes(half)
        client.resume_get(remote, "file", folder)
        equal(digest(folder / "file"), hashlib.sha256(whole).hexdigest(), "fetched")
        if client.stores:
            world.user.file(f"{remote}/file", half)
            os.utime(folder / "file", (0, 0))  # ncftp does not resume what is newer here
            client.resume_put(folder, "file", remote)
            on_disk = world.user.path(f"{remote}/file")
            equal(digest(on_disk), hashlib.sha256(whole).hexdigest(), "stored")


def tree_names(client):
    """{folder: [name]}: a thousand odd names that this client can say."""
    names = odd_names(1000, client.cannot)
    folders = odd_names(1000 // FILES_PER_FOLDER, client.cannot)
    return {folder: names[n :: len(folders)] for n, folder in enumerate(folders)}


def tree_sums(root):
    return {folder: sums(pathlib.Path(root, folder)) for folder in sorted(os.listdir(root))}


@suite.table(TREE_ROWS, lambda row: f"{title(row)}: a tree of 1,000 odd names")
def _(world, row):
    with at_work(world, row) as (client, folder, remote):
        names = tree_names(client)
        for inner, files in names.items():
            for name in files:
                world.user.file(f"{remote}/tree/{inner}/{name}", name.encode())
        wanted = tree_sums(world.user.path(f"{remote}/tree"))
        client.get_tree(f"{remote}/tree", names, folder / "tree")
        equal(tree_sums(folder / "tree"), wanted, "fetched")
        if client.stores:
            for inner in names:
                world.user.folder(f"{remote}/up/tree/{inner}")
            client.put_tree(folder / "tree", f"{remote}/up/tree")
            equal(tree_sums(world.user.path(f"{remote}/up/tree")), wanted, "stored")


if __name__ == "__main__":
    suite.main(server.quick, AT_A_TIME)
