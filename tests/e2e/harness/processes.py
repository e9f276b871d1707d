"""What /proc says of a process and its children: who is there, what they hold, what they cost.

Our processes are not dumpable, so their descriptors and memory can be read by root only;
everything else here works for an ordinary user too.
"""

import ctypes
import os
import pathlib
import signal

from .tap import wait_until

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")


def become_subreaper():
    """Orphans of a server become children of this process, so that none goes unseen."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stat(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return text[text.rindex(")") + 2 :].split()  # field 3 of proc(5) is the first here


def parents():
    """{pid: parent} of everything that runs and is not a zombie."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = _stat(entry)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] not in "ZX":
                found[int(entry)] = int(fields[1])
    return found


def tree(root):
    """root and all its descendants."""
    children = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(children.get(pid, []))
    return found


def role(pid):
    """The program's name without its folder: sallyport-gateway."""
    try:
        return os.path.basename(command_line(pid)[0])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return ""


def command_line(pid):
    raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]


def status(pid):
    """/proc/PID/status as {field: words}; PID may be that of a thread."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
    return {
        name: rest.split() for name, _, rest in (row.partition(":") for row in text.splitlines())
    }


def threads(pid):
    """status() of each thread of a process."""
    return [status(f"{pid}/task/{thread}") for thread in os.listdir(f"/proc/{pid}/task")]


def freeze(pid):
    """SIGSTOP, and until no thread of it runs: the call comes back before that."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(thread["State"][0] in "Tt" for thread in threads(pid)), "it stands still")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def pss_bytes(pid):
    """Proportional memory: what is shared counts by its share."""
    for row in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if row.startswith("Pss:"):
            return int(row.split()[1]) * 1024
    return 0  # a kernel thread or a process in its last moments


def cpu_seconds(pids):
    """User and system time of these processes and of the children that they reaped."""
    total = 0
    for pid in pids:
        try:
            total += sum(int(field) for field in _stat(pid)[11:15])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / TICKS
