#!/usr/bin/python3 -B
"""Custom backends: loaded by real workers through a real configuration, behind the real cage.

The example of packaging/examples/backend-count/ serves; what is wrong with a module, and what a
module must not do, is in tests/unit/worker/modules/variant.c.
"""

import contextlib
import shutil

from harness import place, server
from harness.ftp import Control, session
from harness.launch import run
from harness.tap import AT_A_TIME, Suite, check, equal, wait_until

suite = Suite()

COUNT = place.BUILD / "packaging/examples/backend-count/sallyport-backend-count.so"
VARIANTS = place.BUILD / "tests/unit/worker/modules"


@contextlib.contextmanager
def serving(name, module, words="", **options):
    """A server whose backend_directory holds that module under that name."""
    with place.temporary_folder() as folder:
        shutil.copy(module, folder / f"sallyport-backend-{name}.so")
        (folder / f"sallyport-backend-{name}.so").chmod(0o644)
        if not words:
            options["backend"] = f'"{name}"'
        options.setdefault("backend_directory", f'"{folder}"')
        users = (("demo", None, words), ("plain", None, "backend=sync"))
        with server.configured(users=users, worker_linger="0s", **options) as world:
            world.modules = folder
            yield world


def use(world):
    """Something of everything, as the session of the first user."""
    with session(world) as control:
        control.command("MKD folder", 257)
        control.store("STOR folder/up", b"0123456789")
        equal(control.fetch("RETR folder/up"), b"0123456789", "content")
        control.command("RNFR folder/up", 350)
        control.command("RNTO folder/moved", 250)
        check(any(b"moved" in line for line in control.lines("LIST folder")), "not listed")


def said(world, word):
    return [line for line in world.launched.output("stderr") if word in line]


@suite.case("the counting backend serves, and says what was asked of it")
def _(_nothing):
    with serving("count", COUNT, backend_settings='"tally"') as world:
        world.expect("^tally: |^ +(folder/|moved)$")
        use(world)
        line = wait_until(lambda: said(world, "tally: "), "its report")[0]
        counts = dict(word.split() for word in line.removeprefix("tally: ").split(", "))
        equal((counts["mkdir"], int(counts["rename"]) > 0), ("1", True), "counts")
        wait_until(lambda: said(world, "    moved"), "its tree")
        equal(world.user.path("folder/moved").read_bytes(), b"0123456789", "the real file")


@suite.case("a user's own line names another backend than the others have")
def _(_nothing):
    with serving("count", COUNT, words="backend=count") as world:
        world.expect("^count: |^ +(folder/|moved)$")
        with session(world, user=world.users[1]) as control:
            control.command("MKD there", 257)
        use(world)
        wait_until(lambda: said(world, "count: "), "its report")
        equal(len(said(world, "count: ")), 1, "reports")


REFUSED = {
    "another ABI": ("other-abi", "was built for ABI"),
    "another name": ("other-name", "calls itself 'somebody'"),
    "no symbol": ("no-symbol", "exports no sallyport_backend"),
    "a forbidden call": ("socket", "asks for the system call socket"),
    "a missing function": ("empty", "has no function tree_open"),
}


def told(world):
    return [str(row) for row in world.records()] + world.launched.output("stderr")


def check_refused(world, reason):
    """A login fails, the log has the path and the reason, and nobody else has a part in it."""
    world.expect("custom backend: |sallyport-worker: ")
    with Control(world.address) as control:
        control.reply(220)
        control.command(f"USER {world.user.name}", 331)
        control.command(f"PASS {world.user.password}", 421, 530)
    wait_until(lambda: any(reason in line for line in told(world)), reason)
    with session(world, user=world.users[1]) as control:
        control.command("PWD", 257)


@suite.table(list(REFUSED), lambda name: f"a module with {name} keeps the worker from starting")
def _(_nothing, name):
    module, reason = REFUSED[name]
    with serving("variant", VARIANTS / f"{module}.so") as world:
        check_refused(world, f"{world.modules}/sallyport-backend-variant.so: {reason}")


@suite.case("a module that others may write keeps the worker from starting")
def _(_nothing):
    with serving("variant", VARIANTS / "right.so") as world:
        (world.modules / "sallyport-backend-variant.so").chmod(0o646)
        check_refused(world, "sallyport-backend-variant.so: others than its owner may write it")


@suite.case("a folder that others may write keeps the worker from starting")
def _(_nothing):
    with serving("variant", VARIANTS / "right.so") as world:
        world.modules.chmod(0o777)
        check_refused(world, f"{world.modules}: others than its owner may write it")


@suite.case("a module that is gone keeps the worker from starting")
def _(_nothing):
    with serving("variant", VARIANTS / "right.so") as world:
        (world.modules / "sallyport-backend-variant.so").unlink()
        check_refused(world, "sallyport-backend-variant.so: No such file or directory")


# What is only missing in the table is told by name; what only an attacker would do kills at once.
TRESPASSES = {"linkat": "forbidden system call: linkat", "socket": "signal 31, Bad system call"}


@suite.table(list(TRESPASSES), lambda call: f"a module that calls {call} ends, and it is told")
def _(_nothing, call):
    with serving("variant", VARIANTS / "right.so") as world:
        world.expect(TRESPASSES[call])
        start = world.mark()
        with session(world) as control:
            control.command(f"MDTM /{call}", 451)
            ended = world.wait_record(start, event="process_ended", process="worker")
            equal((ended["how"], ended["for_user"]), (TRESPASSES[call], "demo"), "how")
            control.command("MDTM /", 213)  # by a new worker


@suite.case("what it has declared it may call")
def _(_nothing):
    with serving("variant", VARIANTS / "linking.so") as world, session(world) as control:
        control.command("MDTM /linkat", 550)
        control.command("SIZE /linkat", 550)


@suite.case("a backend whose file is missing is told at start")
def _(_nothing):
    with place.temporary_folder() as folder:
        (folder / "users").write_text("# nobody\n")
        settings = {
            **server.ACCOUNTS,
            "users_file": folder / "users",
            "log_directory": '""',
            "backend": "absent",
            "backend_directory": f'"{folder}"',
        }
        path = folder / "sallyport.conf"
        path.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        done = run([place.program("sallyportd"), "--config", path, "--check"], check_status=False)
        check(done.returncode != 0, "it was taken")
        check(f"{folder}/sallyport-backend-absent.so: No such" in done.stderr.decode(), done.stderr)


@suite.case("--show-cage worker names what the configured backend adds")
def _(_nothing):
    with place.temporary_folder() as folder:
        shutil.copy(VARIANTS / "linking.so", folder / "sallyport-backend-variant.so")
        (folder / "sallyport-backend-variant.so").chmod(0o644)
        path = folder / "sallyport.conf"
        path.write_text(f'backend = "variant"\nbackend_directory = "{folder}"\n')
        shown = [place.program("sallyportd"), "--show-cage", "worker", "--config", path]
        heading = "System calls that a custom backend adds\n"
        added = run(shown).stdout.decode().partition(heading)[2].partition("\n\n")[0]
        equal(added.split(), ["linkat", "hard", "links"], "added")
        (folder / "sallyport-backend-variant.so").chmod(0o666)
        done = run(shown, check_status=False)
        check(done.returncode != 0, "shown as if it could be loaded")
        check(b"variant.so: others than its owner may write it" in done.stderr, done.stderr)


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
