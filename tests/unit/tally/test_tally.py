#!/usr/bin/python3
"""The count of cases (tests/tally.py): what a program says and how it ends, and what is counted. Speaks TAP."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import tally  # noqa: E402

# name, output, error output, exit status, cases as (name, result)
ROWS = [
    ("all pass", "1..2\nok 1 - a\nok 2 - b\n", "", 0, [("a", "passed"), ("b", "passed")]),
    ("no number, no dash", "1..1\nok a b\n", "", 0, [("a b", "passed")]),
    ("plan at the end", "ok 1 - a\n1..1\n", "", 0, [("a", "passed")]),
    ("one fails", "1..2\nok 1 - a\nnot ok 2 - b\n", "", 1, [("a", "passed"), ("b", "failed")]),
    ("a failure and exit status 0", "1..1\nnot ok 1 - a\n", "", 0, [("a", "failed")]),
    ("all pass and exit status 1", "1..1\nok 1 - a\n", "", 1, [("a", "passed"), ("ends well", "failed")]),
    ("killed after its last case", "1..1\nok 1 - a\n", "", -9, [("a", "passed"), ("ends well", "failed")]),
    ("stops early", "1..3\nok 1 - a\n", "", 0, [("a", "passed"), ("runs every case", "failed")]),
    ("more than planned", "1..1\nok 1 - a\nok 2 - b\n", "", 0,
     [("a", "passed"), ("b", "passed"), ("runs every case", "failed")]),
    ("no plan", "ok 1 - a\n", "", 0, [("a", "passed"), ("runs every case", "failed")]),
    ("says nothing", "", "", 0, [("runs every case", "failed")]),
    ("cannot be started", "", "No such file", 127, [("runs every case", "failed")]),
    ("bails out", "1..2\nok 1 - a\nBail out! no disk\n", "", 1, [("a", "passed"), ("goes to its end", "failed")]),
    ("outlives its time", "1..2\nok 1 - a\n", "", None, [("a", "passed"), ("ends in time", "failed")]),
    ("skip", "1..1\nok 1 - a # SKIP root\n", "", 0, [("a", "skipped")]),
    ("skip in small letters", "1..1\nok 1 - a # skip root\n", "", 0, [("a", "skipped")]),
    ("cmocka's skip", "1..1\n# lacks root\nnot ok 1 # SKIP a\n", "", 0, [("a", "skipped")]),
    ("skip of everything", "1..0 # SKIP root\n", "", 0, [("all of it", "skipped")]),
    ("to do is not done", "1..1\nnot ok 1 - a # TODO later\n", "", 0, [("a", "failed")]),
    ("a hash in a name", "1..1\nok 1 - a # b\n", "", 0, [("a # b", "passed")]),
    ("skip as a word of a name", "1..1\nok 1 - skip to the end\n", "", 0, [("skip to the end", "passed")]),
    ("cmocka's last comment", "1..1\nok 1 - a\n# ok - cases\n", "", 0, [("a", "passed")]),
    ("other lines", "hello\n1..1\nok 1 - a\nokay\n    ok 1 - inner\n", "", 0, [("a", "passed")]),
    ("an address error", "1..1\nok 1 - a\n", "==1==ERROR: AddressSanitizer: heap-use-after-free", 0,
     [("a", "passed"), ("pleases the sanitizers", "failed")]),
    ("a leak", "1..1\nok 1 - a\n", "==1==ERROR: LeakSanitizer: detected memory leaks", 0,
     [("a", "passed"), ("pleases the sanitizers", "failed")]),
    ("undefined behaviour", "1..1\nok 1 - a\n", "x.c:1:2: runtime error: shift exponent 64", 0,
     [("a", "passed"), ("pleases the sanitizers", "failed")]),
]

# name, what a program said, the words that must stand under its first failed or skipped case
WORDS_ROWS = [
    ("what follows a failure", "1..2\nnot ok 1 - a\n# got 1\n# x.c:4\nok 2 - b\n# other\n", ["got 1", "x.c:4"]),
    ("what stands before it is not its own", "1..2\nok 1 - a\n# hello\nnot ok 2 - b\n# got 1\n", ["got 1"]),
    ("what a skipped case lacks", "1..1\nok 1 - a # SKIP root, and luck\n", ["root, and luck"]),
    ("what cmocka's skipped case lacks", "1..1\n# lacks root\nnot ok 1 # SKIP a\n", ["root"]),
    ("what everything lacks", "1..0 # SKIP lftp\n", ["lftp"]),
    ("a skip without a reason", "1..1\nok 1 - a # SKIP\n", ["(does not say what)"]),
    ("one case does not lack for the next", "1..2\n# lacks root\nnot ok 1 # SKIP a\nnot ok 2 # SKIP b\n", ["root"]),
]


def case(name, result, program="p"):
    return tally.Case("unit", program, name, result, ["root"])


# name, cases of all passes, names that count as skipped
SKIPPED_ROWS = [
    ("ran in no pass", [case("a", "skipped"), case("a", "skipped")], ["a"]),
    ("passed in another pass", [case("a", "passed"), case("a", "skipped")], []),
    ("failed in another pass", [case("a", "skipped"), case("a", "failed")], []),
    ("another program's case ran", [case("a", "skipped"), case("a", "passed", "q")], ["a"]),
    ("the whole program ran in another pass", [case("a", "passed"), case("all of it", "skipped")], []),
    ("the whole program ran nowhere", [case("all of it", "skipped"), case("b", "passed", "q")], ["all of it"]),
]


def read(output, errors="", status=0):
    reader = tally.Reader(tally.Program("unit", "p", [], {}, ".", 1, True))
    for line in output.splitlines():
        reader.read_line(line)
    reader.end(errors, status)
    return reader.cases


def main():
    results = []
    for name, output, errors, status, want in ROWS:
        results.append((f"count: {name}", [(c.name, c.result) for c in read(output, errors, status)], want))
    for name, output, want in WORDS_ROWS:
        results.append((f"words: {name}", next(c.words for c in read(output) if c.result != "passed"), want))
    for name, cases, want in SKIPPED_ROWS:
        results.append((f"skipped: {name}", [c.name for c in tally.never_run(cases)], want))

    print(f"1..{len(results)}")
    for number, (name, got, want) in enumerate(results, 1):
        print("ok" if got == want else "not ok", number, "-", name)
        if got != want:
            print(f"# got {got}\n# want {want}")
    return 0 if all(got == want for _, got, want in results) else 1


if __name__ == "__main__":
    sys.exit(main())
