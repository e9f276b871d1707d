"""Two figures that are no rates: what an idle session costs, and what passes through the gateway."""

import contextlib
import pathlib
import re
import shutil
import signal
import subprocess

from groups import Group
from harness import peer, place, processes, server
from harness.launch import Launched, run

IDLE_SESSIONS = 1000
IDLE_GOAL_BYTES = 8 << 10
GATEWAY_GOAL_BYTES = 64 << 10
GIB = 1 << 30
MOVING_CALLS = """
    read readv pread64 preadv preadv2 recvfrom recvmsg recvmmsg write writev pwrite64 pwritev pwritev2
    sendto sendmsg sendmmsg splice sendfile tee vmsplice copy_file_range
""".split()


@contextlib.contextmanager
def idle_sessions(world, count):
    """So many logged-in sessions that say nothing, held by one load generator."""
    who = [*map(str, world.address), world.user.name, world.user.password]
    command = [str(place.program("load")), *who, "idle", str(count), "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        try:
            if holder.stdout.readline() != b"idle\n":
                raise RuntimeError(f"{count} idle sessions could not be had")
            yield
        finally:
            holder.stdin.close()


def idle_session_bytes(start, name):
    """(proportional, whole cgroup) bytes of a session: with 1,001 of them less with 1, by 1,000."""
    group = Group("memory", f"sallyport-bench-{name}")
    with contextlib.ExitStack() as stack:
        with group.entered():
            world = stack.enter_context(start())
        figures = []
        for count in (1, 1 + IDLE_SESSIONS):
            with idle_sessions(world, count):
                pss = sum(processes.pss_bytes(pid) for pid in world.processes())
                figures.append((pss, group.used()))
    group.remove()
    (pss_1, group_1), (pss_all, group_all) = figures
    whole = None if group_1 is None else (group_all - group_1) / IDLE_SESSIONS
    return (pss_all - pss_1) / IDLE_SESSIONS, whole


def measure_idle(limits, _rounds):
    starts = {"Sallyport": lambda: server.configured(**limits), "vsftpd": peer.vsftpd}
    rows = []
    for name, start in starts.items():
        proportional, whole = idle_session_bytes(start, name)
        beside = "-" if whole is None else f"{whole / 1024:,.1f}"
        rows.append(f"{name} {proportional / 1024:,.1f} KiB (whole cgroup {beside})")
        if name == "Sallyport":
            verdict = "met" if proportional < IDLE_GOAL_BYTES else "MISSED"
    return f"an idle session: {', '.join(rows)}; goal below 8 KiB: {verdict}"


def moved_bytes(trace):
    """The sum of what the calls of an strace output returned."""
    returned = re.compile(r"(?:^|[ )])(\w+)\(.*= (\d+)$|<\.\.\. (\w+) resumed>.*= (\d+)$")
    total = 0
    for line in pathlib.Path(trace).read_text(errors="replace").splitlines():
        found = returned.search(line)
        if found:
            total += int(found[2] or found[4])
    return total


def measure_gateway(limits, _rounds):
    """As `strace -f` counts them: the bytes that the gateways moved while 1 GiB was fetched."""
    if not shutil.which("strace"):
        return "through the gateway: not measured, no strace"
    with server.configured(**limits) as world, place.temporary_folder() as folder:
        with open(world.user.file("big"), "r+b") as file:
            file.truncate(GIB)
        pids = world.processes("gateway")
        trace = folder / "trace"
        attach = [part for pid in pids for part in ("-p", str(pid))]
        calls = f"trace={','.join(MOVING_CALLS)}"
        tracer = Launched(
            ["strace", "-f", "-q", "-o", trace, "-e", "signal=none", "-e", calls, *attach]
        )
        who = [*world.address, world.user.name, world.user.password]
        run([place.program("load"), *who, "retr", 1, 1, "big"])
        tracer.stop(signal.SIGINT)
        moved = moved_bytes(trace)
    verdict = "met" if 0 < moved < GATEWAY_GOAL_BYTES else "MISSED"
    return f"through the gateway in a RETR of 1 GiB: {moved:,} bytes; goal below 64 KiB: {verdict}"


MEASURES = {"an idle session": measure_idle, "through the gateway": measure_gateway}
