"""Cases and their TAP lines.

A program collects cases in one Suite and hands it a fixture: a function that returns a context
manager (usually a running server).  Each case is one TAP line, so that whoever sums up counts
cases and not files.  A case fails by any exception, is skipped by Skip("what it lacks"), and
passes otherwise.  Closing the fixture is the last case of each program: a server that does not
stop cleanly, or that logged something nobody expected, fails a test of its own.

    program [PATTERN]     run the cases whose name contains PATTERN (case-insensitive)
"""

import concurrent.futures
import os
import sys
import time
import traceback

# Nothing that works takes longer, unless the machine is an emulated one; figures belong to tests/bench.
LIVENESS_S = int(os.environ.get("LIVENESS_S", 10))
AT_A_TIME = 2  # cases that have a server of their own each, and wait for it to start and to end things


class Skip(Exception):
    """Raised by a case that cannot run here; the text names what is lacking."""


class Failure(AssertionError):
    """Raised by the harness itself: something was not as expected."""


def check(condition, text):
    """A plain assertion that survives python -O and always says what was wrong."""
    if not condition:
        raise Failure(text)


def equal(got, want, what="value"):
    check(got == want, f"{what}: got {shorten(got)}, want {shorten(want)}")


def shorten(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def wait_until(condition, what, limit_s=LIVENESS_S):
    """Poll for what sends no event (another process's state in /proc); return its true value."""
    end = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {limit_s} s")
        time.sleep(0.01)
    return value


def need_root(reason):
    if os.geteuid() != 0:
        raise Skip(f"root: {reason}")


class Suite:
    def __init__(self):
        self.cases = []

    def case(self, name, *arguments):
        """Decorate a function(fixture, *arguments) as one case."""

        def register(function):
            self.cases.append((name, function, arguments))
            return function

        return register

    def table(self, rows, name):
        """Decorate a function(fixture, row) as one case per row; name(row) tells them apart."""

        def register(function):
            self.cases.extend((name(row), function, (row,)) for row in rows)
            return function

        return register

    def main(self, fixture, at_a_time=1):
        """Run all cases with what fixture() yields, print TAP, exit.

        Cases that share nothing, and wait more than they compute, may run some at a time.
        """
        pattern = sys.argv[1].lower() if len(sys.argv) > 1 else ""
        cases = [case for case in self.cases if pattern in case[0].lower()]
        print(f"TAP version 13\n1..{len(cases) + 1}", flush=True)
        try:
            context = fixture()
            world = context.__enter__()
        except Skip as reason:
            for number, (name, _, _) in enumerate(cases, 1):
                _print_line(True, number, name, f" # SKIP {reason}")
            _print_line(True, len(cases) + 1, "the fixture closes cleanly", f" # SKIP {reason}")
            sys.exit(0)
        except Exception as error:
            print(f"Bail out! {_one_line(error)}", flush=True)
            _print_diagnosis(error)
            sys.exit(1)
        outcomes = _outcomes([(function, (world, *rest)) for _, function, rest in cases], at_a_time)
        results = [
            _report(number, name, outcome)
            for number, ((name, _, _), outcome) in enumerate(zip(cases, outcomes), 1)
        ]
        end = _outcome(lambda: context.__exit__(None, None, None))
        results.append(_report(len(cases) + 1, "the fixture closes cleanly", end))
        sys.exit(0 if all(results) else 1)


def _outcomes(calls, at_a_time):
    """Of each call in turn, as soon as it is known."""
    if at_a_time == 1:  # in this thread
        yield from (_outcome(function, *arguments) for function, arguments in calls)
        return
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        yield from pool.map(lambda call: _outcome(call[0], *call[1]), calls)


def _outcome(function, *arguments):
    """What it raised, if anything."""
    try:
        function(*arguments)
    except Exception as error:
        return error


def _report(number, name, outcome):
    if isinstance(outcome, Skip):
        return _print_line(True, number, name, f" # SKIP {outcome}")
    _print_line(outcome is None, number, name)
    if outcome is not None:
        _print_diagnosis(outcome)
    return outcome is None


def _print_line(passed, number, name, comment=""):
    safe = name.replace("#", "no.").replace("\n", " ")
    print(f"{'ok' if passed else 'not ok'} {number} - {safe}{comment}", flush=True)
    return passed


def _print_diagnosis(error):
    for line in traceback.format_exception(error):
        for part in line.rstrip().splitlines():
            print(f"# {part.encode('ascii', 'backslashreplace').decode()}", flush=True)


def _one_line(error):
    return " ".join(str(error).split())[:300]
