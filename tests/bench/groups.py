"""Control groups (v2 or v1) that servers are started in: what a server and all its children used,
also those that are gone.
"""

import contextlib
import errno
import os
import pathlib

from harness.tap import wait_until

TOP = pathlib.Path("/sys/fs/cgroup")
IS_V2 = (TOP / "cgroup.controllers").exists()
# what: (controller and file of v1, file of v2)
FIGURES = {
    "memory": (("memory", "memory.usage_in_bytes"), "memory.current"),
    "cpu": (("cpuacct", "cpuacct.usage"), "cpu.stat"),
}


class Group:
    """A group of our own that counts memory or cpu; where none can be made its figure is None."""

    def __init__(self, what, name):
        (controller, figure_v1), figure_v2 = FIGURES[what]
        top = TOP if IS_V2 else TOP / controller
        self.what, self.figure = what, figure_v2 if IS_V2 else figure_v1
        self.home, self.path = top, top / f"{name}-{os.getpid()}"  # others may run a benchmark, too
        for row in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = row.split(":", 2)
            if controllers == ("" if IS_V2 else controller):
                self.home = top / path.lstrip("/")

    @contextlib.contextmanager
    def entered(self):
        """What is started meanwhile is in the group, and so are its children."""
        try:
            self.path.mkdir(exist_ok=True)
            (self.path / "cgroup.procs").write_text(str(os.getpid()))
        except OSError:
            self.path = None
        try:
            yield
        finally:
            if self.path:
                (self.home / "cgroup.procs").write_text(str(os.getpid()))

    def used(self):
        """Bytes of memory, or seconds of CPU time."""
        if not self.path:
            return None
        text = (self.path / self.figure).read_text()
        if self.what == "memory":
            return int(text)
        if not IS_V2:
            return int(text) / 1e9
        return int(dict(row.split() for row in text.splitlines())["usage_usec"]) / 1e6

    def remove(self):
        """Once the last of its processes is gone, which may be a moment after its server."""
        if self.path:
            wait_until(self._is_removed, f"{self.path} is empty")

    def _is_removed(self):
        try:
            self.path.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
        return True
