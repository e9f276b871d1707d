#!/usr/bin/python3 -B
"""What whoever installs Sallyport and runs it as a service relies on: the files that `meson install`
puts in place, what the systemd unit allows, what the service manager is told.
"""

import configparser
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess

from harness import place, server
from harness.ftp import session
from harness.tap import LIVENESS_S, Suite, check, equal, need_root

suite = Suite()

PAGES = (
    "sallyportd.8",
    "sallyport.8",
    "sallyport.conf.5",
    "sallyport-users.5",
    "sallyport-record.5",
    "sallyport-ftp.7",
    "sallyport-backend.7",
)
PLACES = {
    "sallyportd": "sbin",
    "sallyport-worker": "libexec/sallyport",
    "sallyport.conf": "share/doc/sallyport/examples",
    "users.example": "share/doc/sallyport/examples",
    "protocol.md": "share/doc/sallyport",
    "logrotate": "share/doc/sallyport/examples",
    "sallyport.service": "lib/systemd/system",
    "sysusers.d/sallyport.conf": "lib",
    "tmpfiles.d/sallyport.conf": "lib",
    **{page: f"share/man/man{page[-1]}" for page in PAGES},
}


def introspected(what):
    """What meson says of the build."""
    return json.loads((place.BUILD / "meson-info" / f"intro-{what}.json").read_text())


def has_libsystemd():
    return any(library["name"] == "libsystemd" for library in introspected("dependencies"))


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(place.BUILD / "packaging" / "sallyport.service")
    return parser["Service"]


def shown_capabilities():
    """Those that the manual of the cage lists."""
    shown = subprocess.run(
        [place.program("sallyportd"), "--show-cage", "supervisor"],
        capture_output=True, text=True, check=True, timeout=LIVENESS_S,
    ).stdout
    rows = shown.split("\nCapabilities\n")[1].split("\n\n")[0].splitlines()
    return {f"CAP_{row.split()[0]}" for row in rows}


@suite.case("what is installed where")
def _(_):
    installed = introspected("installed")
    for name, folder in PLACES.items():
        found = [(source, to) for source, to in installed.items() if to.endswith(f"{folder}/{name}")]
        equal(len(found), 1, f"{name} in {folder}")
        check(pathlib.Path(found[0][0]).is_file(), f"{found[0][0]} is not there")


def standard(option):
    """Its default, as the example configuration shows it; a test of policy/rules/ holds it to the table."""
    example = (place.TOP / "packaging" / "sallyport.conf").read_text()
    return next(
        line.partition(" = ")[2]
        for line in example.splitlines()
        if line.startswith(f"#{option} = ")
    )


def rows(name):
    """The words of each line that is no comment."""
    text = (place.TOP / "packaging" / "systemd" / name).read_text()
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


@suite.case("systemd makes the accounts and the log folder that the defaults name")
def _(_):
    accounts = [standard(f"{role}_user") for role in ("gateway", "auth", "record", "keys")]
    made = rows("sallyport.sysusers")
    equal([row[:3] for row in made], [["u", name, "-"] for name in accounts])
    check(not any(":" in " ".join(row) for row in made), "passwd(5) has no colons in a comment")
    folder, owner = standard("log_directory"), standard("record_user")
    equal(rows("sallyport.tmpfiles"), [["d", folder, "0750", owner, owner, "-"]])


@suite.case("what rotates logs knows their folder, and has them opened anew")
def _(_):
    text = (place.BUILD / "packaging" / "logrotate").read_text()
    check(f"{standard('log_directory')}/*.jsonl {{" in text, "another folder")
    command = text.partition("postrotate\n")[2].splitlines()[0].split()
    equal((pathlib.Path(command[0]).name, command[1:]), ("sallyport", ["reload"]))


@suite.case("the unit allows the capabilities that sallyportd keeps, and no other")
def _(_):
    equal(set(unit()["CapabilityBoundingSet"].split()), shown_capabilities())


@suite.case("with these alone it serves")
def _(_):
    need_root("capabilities are taken away")
    kept = ",".join(f"+{name[4:].lower()}" for name in unit()["CapabilityBoundingSet"].split())
    with place.temporary_folder() as folder:
        program = folder / "sallyportd"
        daemon = place.program("sallyportd")
        program.write_text(f'#!/bin/sh\nexec setpriv --bounding-set=-all,{kept} {daemon} "$@"\n')
        program.chmod(0o755)
        with server.configured(users=[("demo", 23001, "")], program=program) as world:
            with session(world) as control:
                control.store("STOR file", b"content")
                equal(control.fetch("RETR file"), b"content")


@suite.case("the unit ends it as sallyportd(8) says: transfers first, then what is left")
def _(_):
    service = unit()
    equal(service["KillMode"], "process", "who is ended with sallyportd")
    check("kill -QUIT" in service["ExecStop"], "ExecStop does not let transfers end")
    equal(service["Type"], "notify" if has_libsystemd() else "exec", "how its start is known")


# The service manager


@contextlib.contextmanager
def manager():
    """A socket as systemd's; yields what gives the next message, or "" if none is awaited or there."""
    with place.temporary_folder() as folder, socket.socket(
        socket.AF_UNIX, socket.SOCK_DGRAM
    ) as inbox:
        inbox.bind(str(folder / "notify"))
        os.environ["NOTIFY_SOCKET"] = str(folder / "notify")

        def hear(is_awaited=True):
            inbox.settimeout(LIVENESS_S if is_awaited else 0)
            with contextlib.suppress(BlockingIOError):
                return inbox.recv(4096).decode()
            return ""

        try:
            yield hear
        finally:
            del os.environ["NOTIFY_SOCKET"]


@suite.case("the service manager hears when it is ready, reloads and stops")
def _(_):
    is_told = has_libsystemd()
    with manager() as hear:
        with server.configured() as world:
            equal(hear(is_told), "READY=1" if is_told else "", "at the start")
            mark = world.mark()
            os.kill(world.pid, signal.SIGHUP)
            if is_told:
                name, _, time_us = hear().partition("\nMONOTONIC_USEC=")
                equal((name, time_us.isdigit()), ("RELOADING=1", True), "at a reload")
                equal(hear(), "READY=1", "after a reload")
            world.wait_record(mark, event="notice", text="configuration loaded")
        equal(hear(is_told), "STOPPING=1" if is_told else "", "at the end")
        equal(hear(is_awaited=False), "", "what else is said")


if __name__ == "__main__":
    suite.main(contextlib.nullcontext)
