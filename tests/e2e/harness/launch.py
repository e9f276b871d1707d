"""A program under test: started, its output read line by line, stopped, nothing left behind."""

import ctypes
import os
import signal
import subprocess
import threading
import time

from . import processes
from .tap import LIVENESS_S, Failure, check, shorten, wait_until

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Launched:
    """A running program with its output so far; lines arrive by a thread of their own."""

    def __init__(self, arguments, **options):
        processes.become_subreaper()
        self.arguments = [str(argument) for argument in arguments]
        self.lines = []  # (stream name, line) in order of arrival
        self.news = threading.Condition()
        options.setdefault("stdin", subprocess.DEVNULL)
        self.process = subprocess.Popen(
            self.arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_die_with_parent,
            **options,
        )
        self.readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self.process.stdout), ("stderr", self.process.stderr))
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, name, stream):
        for raw in stream:
            with self.news:
                self.lines.append((name, raw.decode(errors="replace").rstrip("\n")))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def output(self, stream=None):
        with self.news:
            return [line for name, line in self.lines if stream in (None, name)]

    def wait_line(self, accept, what, stream=None, start=0, limit_s=LIVENESS_S):
        """The first line, from the start-th on, for which accept(line) gives a true value."""
        end = time.monotonic() + limit_s
        with self.news:
            position = start
            while True:
                while position < len(self.lines):
                    name, line = self.lines[position]
                    position += 1
                    if stream in (None, name) and (value := accept(line)):
                        return value
                if self.ended() or not self.news.wait(max(0, end - time.monotonic())):
                    raise Failure(f"{what}: not seen; exit {self.process.poll()}; {self.tail()}")

    def ended(self):
        return not any(reader.is_alive() for reader in self.readers)

    def tail(self):
        return shorten("\n".join(line for _, line in self.lines[-15:]), 2000)

    def wait_end(self, limit_s=LIVENESS_S):
        """Its exit status, once it ends by itself and all its output was read."""
        try:
            status = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"still running after {limit_s} s: {self.tail()}") from None
        for reader in self.readers:
            reader.join(limit_s)
        return status

    def stop(self, number=signal.SIGTERM):
        """Ask it to end; its exit status. Fails if anything that it started lives on."""
        family = [] if self.process.poll() is not None else processes.tree(self.pid)
        if family:
            self.process.send_signal(number)
        try:
            status = self.wait_end()
            wait_until(lambda: not left_of(family), f"children left: {describe(family)}")
            return status
        finally:
            for pid in left_of(family):
                os.kill(pid, signal.SIGKILL)


def left_of(family):
    """Those still running; orphans were handed to us and are reaped here."""
    for pid in family[1:]:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
    return [pid for pid in family if pid in processes.parents()]


def describe(family):
    return ", ".join(f"{pid} {processes.role(pid)}" for pid in left_of(family))


def run(arguments, limit_s=60, check_status=True, **options):
    """A short-lived program from start to end; its completed process with text output."""
    options.setdefault("stdin", subprocess.DEVNULL)
    arguments = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=limit_s, **options)
    except subprocess.TimeoutExpired as late:
        said = shorten((late.stdout or b"")[-500:] + (late.stderr or b"")[-500:], 1000)
        raise Failure(f"{arguments[0]} not done within {limit_s} s: {said}") from None
    said = (done.stdout[-1500:] + done.stderr[-1500:]).decode(errors="replace")
    check(not check_status or done.returncode == 0, f"{arguments} gave {done.returncode}: {said}")
    return done
