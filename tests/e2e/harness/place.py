"""Where a server under test works: its ports, its folders, whose files they are."""

import collections
import contextlib
import functools
import os
import pathlib
import random
import shutil
import socket
import tempfile
import threading

from .tap import Failure

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SALLYPORT_BUILD", TOP / "build")).resolve()
TENANT_UID = 23001  # as root: the owner of the files served; nobody's account is needed
PORTS_PER_SERVER = 512
_given = collections.deque(maxlen=32)  # the last ports given: whoever got them may not be there yet
_giving = threading.Lock()  # cases that run side by side do not get the same


def program(name):
    """The path of one of ours inside the build directory."""
    folders = {
        "sallyportd": "policy/supervisor",
        "sallyport": "policy/admin",
        "sallyport-auth": "policy/auth",
        "sallyport-record": "policy/record",
        "sallyport-gateway": "gateway",
        "sallyport-worker": "worker",
        "sallyport-resolver": "policy/resolver",
        "sallyport-keys": "policy/keys",
        "tls_flood": "tests/hostile",
        "load": "tests/bench",
        "requests": "tests/bench",
        "sallyport-gateway-with-key": "tests/bench",
        "liar": "tests/hostile",
        "slowfs": "tests/e2e",
    }
    path = BUILD / folders[name] / name
    if not path.exists():
        raise Failure(f"no {path}: build first, or set SALLYPORT_BUILD")
    return path


@functools.cache
def has_sanitizer():
    """AddressSanitizer keeps freed memory, so that memory figures of its builds mean nothing."""
    return b"__asan_init" in program("sallyportd").read_bytes()


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def _is_free(port, addresses):
    try:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.create_server((address, port), family=family):
                pass
    except OSError:
        return False
    return True


def free_port(addresses):
    """A port that is free at each of the addresses, away from passive and ephemeral ones."""
    with _giving:
        for port in random.sample(range(10000, 20000), 200):
            if port not in _given and _is_free(port, addresses):
                _given.append(port)
                return port
    raise Failure("no free port in 10000-19999")


def free_range(count=PORTS_PER_SERVER):
    """A range of passive ports, all of them free now: (first, last)."""
    starts = list(range(20000, 30000 - count, count))
    with _giving:
        for first in random.sample(starts, len(starts)):
            if first in _given:
                continue
            if all(_is_free(port, ("0.0.0.0",)) for port in range(first, first + count)):
                _given.append(first)
                return first, first + count - 1
    raise Failure(f"no {count} free ports in 20000-29999")


@contextlib.contextmanager
def temporary_folder():
    """A folder that other users may pass through, gone afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-e2e-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class User:
    """Somebody who may log in; home is the folder that the session sees as /."""

    def __init__(self, name, password, home, uid=None):
        self.name, self.password, self.home = name, password, pathlib.Path(home)
        self.uid = uid if uid is not None else os.geteuid() or TENANT_UID
        self.home.mkdir(parents=True, exist_ok=True)
        self.own(self.home)

    def own(self, path):
        """Make it this user's (where we may: as root)."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)
        return path

    def path(self, name):
        return pathlib.Path(os.fsdecode(os.path.join(os.fsencode(self.home), os.fsencode(name))))

    def folder(self, name):
        path = self.path(name)
        for part in [*reversed(path.parents), path]:
            if not part.exists():
                part.mkdir()
                self.own(part)
        return path

    def file(self, name, content=b"", mode=0o644):
        """A file of this user's with this content."""
        path = self.path(name)
        self.folder(path.parent)
        path.write_bytes(content)
        path.chmod(mode)
        return self.own(path)

    def names(self, name="."):
        """What is really there, hidden or not."""
        return sorted(os.listdir(os.fsencode(self.path(name))))
