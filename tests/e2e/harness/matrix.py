"""What every client is asked, in every way that it knows to reach the server.

Over IPv4 and [::1], in each mode of data connections: files of 0 bytes, 1 byte and 1 MiB, and one
that is resumed, in both directions. In two of these ways: 100 MiB. Over each family: a tree of 1,000
files with odd names. Once: rename, delete, folders, times. What is compared is the content on the
server's disk and in the client's hands. What a client lacks is in its class; nothing else is left out.
"""

import collections
import contextlib
import functools
import hashlib
import itertools
import os
import pathlib
import shutil

from . import clients, place, server, tls
from .fixtures import noise, odd_names
from .tap import Skip, Suite, check, equal

AT_A_TIME = 2
SMALL = {"empty": 0, "one": 1, "mebi": 1 << 20}
BIG = {"hundred": 100 << 20}
WHOLE, HALF = 3_000_000, 1_234_567
LONG_AGO = 1_000_000_000
FILES, FILES_PER_FOLDER = 1000, 50
RENAMED = [  # old and new, of each kind that gave servers trouble
    ("two words", "'single' \"double\""),
    ("äöü 日本語", "-dash"),
    ("-rf", "back\\slash"),
    ("l" * 255, "Δ" * 127),
    ("%41%s", "[set]*?"),
]

numbers = itertools.count(1)
Row = collections.namedtuple("Row", "client family mode tls")


def rows_of(kind, tls=None):
    ways = (tls and kind.tls_modes) or kind.modes
    return [Row(kind, family, mode, tls) for family, modes in ways.items() for mode in modes]


def outer_rows(kind, tls=None):
    """The first of its ways and the last: passive over IPv4, and if it can active over IPv6."""
    rows = rows_of(kind, tls)
    return [rows[0], rows[-1]]


def tree_rows(kind):
    """Over each family, if it asks for listings; names that we give it are the same over both."""
    rows = [Row(kind, family, modes[0], None) for family, modes in kind.modes.items()]
    return rows if clients.MIRROR not in kind.lacks else rows[-1:]


def title(row):
    tls = f"{row.tls} TLS, " if row.tls else ""
    return f"{row.client.name}, {tls}IPv{row.family}, {row.mode}"


def endpoint(running, row):
    return running.address if row.family == 4 else running.address6


class Secured:
    """A server that takes nothing in the clear; its data connections resume a session, but for one user."""

    def __init__(self, running, implicit):
        self.server, self.implicit = running, implicit

    def endpoint(self, row):
        address = endpoint(self.server, row)
        return address if row.tls == clients.EXPLICIT or not address else (address[0], self.implicit)

    def user_of(self, kind):
        return self.server.users[0 if kind.resumes_sessions else 1]


class Bench:
    """A client of that row at work: it, its folder here, its folder on the server."""

    def __init__(self, world, row, folder):
        address = world.endpoint(row) if row.tls else endpoint(world, row)
        if not address:
            raise Skip("[::1]")
        self.user = world.user_of(row.client) if row.tls else world.user
        self.client = row.client(self.user, address, row.mode, folder, row.tls)
        self.folder = folder
        self.remote = f"{row.client.__name__}-{next(numbers)}"
        self.user.folder(self.remote)

    def there(self, name):
        return self.user.path(f"{self.remote}/{name}")

    def put_there(self, name, content):
        return self.user.file(f"{self.remote}/{name}", content)


@contextlib.contextmanager
def at_work(world, row):
    with place.temporary_folder() as folder:
        bench = Bench(world, row, folder)
        yield bench
        shutil.rmtree(bench.there("."))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def digest_of_noise(count):
    return hashlib.sha256(noise(count)).hexdigest()


def sums(folder):
    """{name: digest} of a folder's files, as text."""
    return {name: digest(pathlib.Path(folder, name)) for name in sorted(os.listdir(folder))}


def carry(world, row, sizes):
    wanted = {name: digest_of_noise(size) for name, size in sorted(sizes.items())}
    with at_work(world, row) as bench:
        down = bench.folder / "down"
        down.mkdir()
        for name, size in sizes.items():
            bench.put_there(f"from/{name}", noise(size))
        bench.client.get(f"{bench.remote}/from", list(sizes), down)
        equal(sums(down), wanted, "fetched")
        if clients.STORE not in row.client.lacks:
            bench.user.folder(f"{bench.remote}/to")
            bench.client.put(down, list(sizes), f"{bench.remote}/to")
            equal(sums(bench.there("to")), wanted, "stored")


def resume(world, row):
    with at_work(world, row) as bench:
        local = bench.folder / "file"
        if clients.RESUME_GET not in row.client.lacks:
            bench.put_there("file", noise(WHOLE))
            local.write_bytes(noise(HALF))
            bench.client.resume_get(bench.remote, "file", bench.folder)
            equal(digest(local), digest_of_noise(WHOLE), "fetched")
        if clients.RESUME_PUT not in row.client.lacks:
            local.write_bytes(noise(WHOLE))
            bench.put_there("file", noise(HALF))
            os.utime(local, (0, 0))  # ncftp does not resume what is newer here
            bench.client.resume_put(bench.folder, "file", bench.remote)
            equal(digest(bench.there("file")), digest_of_noise(WHOLE), "stored")


def tree_names(client):
    """{folder: [name]}: a thousand odd names that this client can say."""
    names = odd_names(FILES, client.unsayable)
    folders = odd_names(FILES // FILES_PER_FOLDER, client.unsayable)
    return {folder: names[n :: len(folders)] for n, folder in enumerate(folders)}


def tree_sums(root):
    return {folder: sums(pathlib.Path(root, folder)) for folder in sorted(os.listdir(root))}


def carry_tree(world, row):
    with at_work(world, row) as bench:
        names = tree_names(row.client)
        for inner, files in names.items():
            for name in files:
                bench.put_there(f"tree/{inner}/{name}", name.encode())
        wanted = tree_sums(bench.there("tree"))
        bench.client.get_tree(f"{bench.remote}/tree", names, bench.folder / "tree")
        equal(tree_sums(bench.folder / "tree"), wanted, "fetched")
        if clients.STORE not in row.client.lacks:
            for inner in names:
                bench.user.folder(f"{bench.remote}/up/tree/{inner}")
            bench.client.put_tree(bench.folder / "tree", f"{bench.remote}/up/tree")
            equal(tree_sums(bench.there("up/tree")), wanted, "stored")


def rename_and_delete(world, row):
    with at_work(world, row) as bench:
        bench.client.make_folder(f"{bench.remote}/new folder")
        check(bench.there("new folder").is_dir(), "no folder")
        for old, _ in RENAMED:
            bench.put_there(f"new folder/{old}", old.encode())
        bench.client.rename(f"{bench.remote}/new folder", RENAMED)
        found = {name: bench.there(f"new folder/{name}").read_text() for _, name in RENAMED}
        equal(found, {new: old for old, new in RENAMED}, "renamed")
        bench.client.remove(f"{bench.remote}/new folder", [new for _, new in RENAMED])
        equal(bench.user.names(f"{bench.remote}/new folder"), [], "left after deletion")
        bench.client.remove_folder(f"{bench.remote}/new folder")
        equal(bench.user.names(bench.remote), [], "left after the folder's removal")


def times(world, row):
    with at_work(world, row) as bench:
        os.utime(bench.put_there("old", b"x"), (LONG_AGO, LONG_AGO))
        equal(bench.client.time_of(bench.remote, "old"), LONG_AGO, "its time here")
        if clients.TIMES_UP not in row.client.lacks:
            (bench.folder / "sent").write_bytes(b"x")
            os.utime(bench.folder / "sent", (LONG_AGO, LONG_AGO))
            bench.client.put(bench.folder, ["sent"], bench.remote)
            equal(int(bench.there("sent").stat().st_mtime), LONG_AGO, "its time there")


def can_resume(kind):
    return not {clients.RESUME_GET, clients.RESUME_PUT} <= set(kind.lacks)


def add_rows(suite, rows, what, run):
    suite.table(rows, lambda row: f"{title(row)}: {what}")(run)


def add_plain(suite, *kinds):
    """The whole matrix of these clients, in the clear."""
    for kind in kinds:
        first = rows_of(kind)[:1]
        add_rows(suite, rows_of(kind), "0 B, 1 B, 1 MiB", functools.partial(carry, sizes=SMALL))
        add_rows(suite, outer_rows(kind), "100 MiB", functools.partial(carry, sizes=BIG))
        if can_resume(kind):
            add_rows(suite, rows_of(kind), "resumes", resume)
        add_rows(suite, tree_rows(kind), "a tree of 1,000 odd names", carry_tree)
        if clients.CHORES not in kind.lacks:
            add_rows(suite, first, "renames and deletes odd names", rename_and_delete)
        if clients.TIMES_DOWN not in kind.lacks:
            add_rows(suite, first, "times", times)


def add_secured(suite, *kinds):
    """What TLS may change: each way of its own, with data protected."""
    for kind in kinds:
        for beginning in kind.tls:
            rows = outer_rows(kind, beginning)
            add_rows(suite, rows, "0 B, 1 B, 1 MiB", functools.partial(carry, sizes=SMALL))
            add_rows(suite, rows[:1], "100 MiB", functools.partial(carry, sizes=BIG))
            if can_resume(kind):
                add_rows(suite, rows, "resumes", resume)


def plain(*kinds):
    suite = Suite()
    add_plain(suite, *kinds)
    return suite


def secured(*kinds):
    suite = Suite()
    add_secured(suite, *kinds)
    return suite


def serving():
    """A server whose logins cost little: aria2 logs in for each file."""
    return server.configured(setting=server.SHA512_1000)


@contextlib.contextmanager
def serving_secured():
    with place.temporary_folder() as folder:
        port = server.free_port()
        options = tls.options(*tls.make_certificate(folder), tls_data="required")
        options.update(tls="required", tls_listen=server.braces(server.listen_addresses(port)))
        users = (("demo", None, ""), ("fresh", None, "tls_session_reuse=off"))
        with server.configured(users, server.SHA512_1000, **options) as running:
            tls.forgive_sanitizer(running)
            yield Secured(running, port)
