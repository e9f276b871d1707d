#!/usr/bin/python3
"""Runs test programs that speak TAP and counts single cases.

tally.py [--only WORD]... [--slowest N] PASS...

A PASS is LABEL:USER:BUILD:TREE, one way to run everything: the programs registered in the meson build folder
BUILD and every executable file in TREE/tests/hostile and TREE/tests/e2e, as USER ("" is whoever runs this).
As root each program has a network of its own (see own-network), and several run at a time; otherwise those that
start servers run one at a time.

Prints one line for each suite and pass, each failed case with what it said, each case that no pass could run with
what it lacks, and as its last line "N passed, N failed, N skipped". Exit status 1 if anything failed or nothing ran.

A case is skipped only if it ran in no pass: one that needs root and ran as root is not skipped because the pass
of an ordinary user left it out.
"""

import argparse
import concurrent.futures
import dataclasses
import functools
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import tempfile
import time

OWN_NETWORK = pathlib.Path(__file__).resolve().parent / "own-network"
SCRIPTED = ["hostile", "e2e"]  # suites with programs that are not meson's
CLIENTS = "clients_"  # how the programs that drive real clients begin: the matrix in tests/e2e/README.md
HOUSES = {("hostile", role) for role in ("auth", "gateway", "record", "worker")}  # daemons in which one process lies
WEIGHED = {("hostile", "lines")}  # what memory it costs can be told only where freed memory is not kept
ROOTS_AS_RELEASED = {"isolation", "kernel_tls", "slow", "strangers"}
LONGER_AS_RELEASED = ("contract", "contract differential")  # 102,000 random calls; with the sanitizers 12,000 of them
LONGEST = {"contract differential", "unit gateway limits"}  # begun last, they would run on when all others have ended
SUITES = ["unit", "contract", "fuzz", "hostile", "cage", "e2e"]
SCRIPT_TIMEOUT_S = 600
AT_A_TIME = 2 * os.cpu_count()  # they wait more than they compute
RESULT = re.compile(r"(?P<no>not )?ok\b *\d* *(?:- )?(?P<name>.*?)(?: *(?<!\\)# *(?P<word>skip|todo)\b:? *(?P<reason>.*))?$",
                    re.IGNORECASE)
PLAN = re.compile(r"1\.\.(?P<count>\d+)(?: *# *skip\b:? *(?P<reason>.*))?", re.IGNORECASE)
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error: |WARNING: \w+Sanitizer")


@dataclasses.dataclass
class Case:
    suite: str
    program: str
    name: str
    result: str  # "passed", "failed" or "skipped"
    words: list  # what a failed case said, or what a skipped one lacks


@dataclasses.dataclass
class Program:
    suite: str
    name: str
    command: list
    environment: dict
    folder: str
    timeout_s: float
    is_parallel: bool
    seconds: float = 0  # how long it ran


@dataclasses.dataclass
class Pass:
    label: str
    user: str
    build: pathlib.Path
    tree: pathlib.Path

    @classmethod
    def parse(cls, text):
        label, user, build, tree = text.split(":")
        return cls(label, user, pathlib.Path(build).resolve(), pathlib.Path(tree).resolve())


def meson_programs(build):
    for row in json.loads((build / "meson-info" / "intro-tests.json").read_text()):
        suite = row["suite"][0].split(":")[-1]
        yield Program(suite, row["name"], row["cmd"], row["env"], row["workdir"] or str(build), row["timeout"],
                      row["is_parallel"])


def runs_here(a_pass, suite, name):
    """What takes minutes and says the same in every pass is not run in each.

    As released, by whoever calls: the clients, and the houses of liars. With the sanitizers: everything else. Either way:
    what weighs a process. Where root calls, there remains for the release what depends on who runs it and how it was
    built: an ordinary user's pass has cages and whole servers, root's the cages, what an ordinary user cannot try, and
    the long run of random calls.
    """
    is_ours = a_pass.user == ""
    is_release = a_pass.label.startswith("release")
    if (suite, name) in HOUSES or name.startswith(CLIENTS):
        return is_ours and is_release
    if not is_ours:
        return suite in ("cage", "e2e")
    if (suite, name) in WEIGHED:
        return True
    if is_release and os.geteuid() == 0:
        return (suite == "cage" or (suite, name) == LONGER_AS_RELEASED or
                (suite == "e2e" and name in ROOTS_AS_RELEASED))
    return not is_release or suite != "hostile"


def scripted_programs(a_pass, suite):
    for path in sorted((a_pass.tree / "tests" / suite).glob("*")):
        if path.is_file() and os.access(path, os.X_OK) and runs_here(a_pass, suite, path.stem):
            name = path.stem if suite == "e2e" else f"{suite} {path.stem}"
            yield Program(suite, name, [str(path)], {"SALLYPORT_BUILD": str(a_pass.build)}, str(a_pass.tree),
                          SCRIPT_TIMEOUT_S, has_own_networks())


def programs_of(a_pass, words):
    scripted = [program for suite in SCRIPTED for program in scripted_programs(a_pass, suite)]
    compiled = [one for one in meson_programs(a_pass.build) if runs_here(a_pass, one.suite, one.name)]
    for program in [*compiled, *scripted]:
        if not words or any(word == program.suite or word in program.name for word in words):
            yield program


@functools.cache
def has_own_networks():
    return os.geteuid() == 0 and subprocess.run([OWN_NETWORK, "", "true"], stderr=subprocess.DEVNULL).returncode == 0


def start(program, user, **options):
    """The process of a program, as that user, in a network of its own where that can be had."""
    if has_own_networks():
        return subprocess.Popen([OWN_NETWORK, user, *program.command], **options)
    if user:
        entry = pwd.getpwnam(user)
        options.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
    return subprocess.Popen(program.command, **options)


def run(program, user):
    """(output, error output, exit status or None if it outlived its time), with nothing left behind."""
    environment = {**os.environ, **program.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as errors:
        try:
            process = start(program, user, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=program.folder,
                            env=environment, start_new_session=True, umask=0o022)
        except OSError as error:
            return "", str(error), 127
        try:
            status = process.wait(program.timeout_s)
        except subprocess.TimeoutExpired:
            status = None
        try:
            os.killpg(process.pid, signal.SIGKILL)  # its session is ours: whatever it left running
        except ProcessLookupError:
            pass
        process.wait()
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="backslashreplace"))
        return texts[0], texts[1], status


class Reader:
    """Turns one program's TAP into cases."""

    def __init__(self, program):
        self.program = program
        self.cases = []
        self.planned = None
        self.lacks = ""
        self.failing = None

    def add(self, name, result, words=()):
        case = Case(self.program.suite, self.program.name, name, result, list(words))
        self.cases.append(case)
        return case

    def read_line(self, line):
        plan = PLAN.fullmatch(line)
        if plan:
            self.planned = int(plan["count"])
            if self.planned == 0:
                self.add("all of it", "skipped", [plan["reason"] or "(does not say what)"])
                self.planned = 1
        elif line.startswith("#"):
            self.read_comment(line[1:].strip())
        elif RESULT.match(line):
            self.read_result(RESULT.match(line))
        elif line.startswith("Bail out!"):
            self.failing = self.add("goes to its end", "failed", [line])
        elif self.failing:
            self.failing.words.append(line)

    def read_comment(self, text):
        if text.startswith("lacks "):
            self.lacks = text.removeprefix("lacks ")
        elif self.failing:
            self.failing.words.append(text)

    def read_result(self, match):
        name, reason = match["name"], match["reason"]
        self.failing = None
        if (match["word"] or "").lower() == "skip":
            if not name:  # cmocka's way: "not ok 4 # SKIP the name"
                name, reason = reason, self.lacks
            self.add(name, "skipped", [reason or "(does not say what)"])
        elif match["no"] or match["word"]:
            self.failing = self.add(name, "failed", [f"{match['word']} {reason}"] if match["word"] else [])
        else:
            self.add(name, "passed")
        self.lacks = ""

    def end(self, errors, status):
        """What the cases themselves cannot say: a program that stopped early, or a sanitizer's finding."""
        seen = len(self.cases)
        error_lines = errors.splitlines()
        if status is None:
            self.add("ends in time", "failed", [f"killed after {self.program.timeout_s} s and {seen} cases",
                                                *error_lines[-20:]])
        elif self.planned is None or seen != self.planned:
            self.add("runs every case", "failed", [f"{seen} cases of {self.planned or 'no plan at all'}, "
                                                   f"exit status {status}", *error_lines[-40:]])
        elif status != 0 and not any(case.result == "failed" for case in self.cases):
            self.add("ends well", "failed", [f"exit status {status}", *error_lines[-40:]])
        if SANITIZER.search(errors):
            self.add("pleases the sanitizers", "failed", error_lines[-80:])
        for case in self.cases:
            if case.result == "failed" and not case.words:
                case.words = error_lines[-20:]


def cases_of(program, user):
    started = time.monotonic()
    output, errors, status = run(program, user)
    program.seconds = time.monotonic() - started
    reader = Reader(program)
    for line in output.splitlines():
        reader.read_line(line)
    reader.end(errors, status)
    return reader.cases


def start_all(pool, one_by_one, programs, user):
    """{id of a program: what will be its cases}: the longest first, then the scripts, which wait the most; those that
    bear nobody beside them when all others have ended."""
    running = {}
    for program in sorted(programs, key=lambda one: (one.name not in LONGEST, one.suite not in SCRIPTED)):
        if program.is_parallel:
            running[id(program)] = pool.submit(cases_of, program, user)
    one_by_one.submit(concurrent.futures.wait, list(running.values()))
    for program in programs:
        if not program.is_parallel:
            running[id(program)] = one_by_one.submit(cases_of, program, user)
    return running


def count(cases, result):
    return sum(case.result == result for case in cases)


def suite_line(suite, cases):
    parts = [f"{count(cases, 'passed')} passed"]
    parts += [f"{count(cases, word)} {said}" for word, said in (("failed", "FAILED"), ("skipped", "not run here"))
              if count(cases, word)]
    return f"  {suite:<9} {', '.join(parts)}"


def print_failed(cases):
    for case in cases:
        if case.result == "failed":
            print(f"    FAILED {case.program}: {case.name}")
            for words in case.words:
                print(f"        {words}")


def print_slowest(programs, count):
    for program in sorted(programs, key=lambda program: -program.seconds)[:count]:
        print(f"  {program.seconds:5.0f} s {program.suite}: {program.name}")


def run_pass(a_pass, words, slowest):
    programs = list(programs_of(a_pass, words))
    suites = SUITES + sorted({program.suite for program in programs} - set(SUITES))
    all_cases = []
    started = time.monotonic()
    print(f"{a_pass.label}:", flush=True)
    with (concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool,
          concurrent.futures.ThreadPoolExecutor(1) as one_by_one):
        running = start_all(pool, one_by_one, programs, a_pass.user)
        for suite in suites:
            cases = [case for program in programs if program.suite == suite for case in running[id(program)].result()]
            if cases:
                print(suite_line(suite, cases))
            print_failed(cases)
            sys.stdout.flush()
            all_cases += cases
    print(f"  {time.monotonic() - started:.0f} s", flush=True)
    print_slowest(programs, slowest)
    return all_cases


def never_run(cases):
    """The skipped cases that no pass ran, each once."""
    ran = {(case.program, case.name) for case in cases if case.result != "skipped"}
    programs_run = {program for program, _ in ran}
    skipped = {}
    for case in cases:
        whole_program_ran = case.name == "all of it" and case.program in programs_run
        if case.result == "skipped" and (case.program, case.name) not in ran and not whole_program_ran:
            skipped[case.program, case.name] = case
    return list(skipped.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="WORD",
                        help="a suite, or a part of a program's name")
    parser.add_argument("--slowest", type=int, default=0, metavar="N", help="name the N slowest programs of each pass")
    parser.add_argument("passes", nargs="+", type=Pass.parse, metavar="LABEL:USER:BUILD:TREE")
    arguments = parser.parse_args()

    cases = []
    for a_pass in arguments.passes:
        cases += run_pass(a_pass, arguments.only, arguments.slowest)
    skipped = never_run(cases)
    for case in skipped:
        print(f"SKIPPED {case.program}: {case.name}: lacks {case.words[0]}")
    passed, failed = count(cases, "passed"), count(cases, "failed")
    if not cases:
        print("no test is called that")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
