#!/usr/bin/python3 -B
"""Virtual hosts (RFC 7151): by name and by address, each with its greeting and its users.

There are ada of the server, ada and bob of example.org (another ada, with another home and another
password), the host alias.example with the server's users, and the host at.example, which is where
clients of one address are without asking.
"""

import contextlib
import itertools
import os
import signal

from harness import place, server
from harness.ftp import Control, session
from harness.tap import Suite, check, equal, wait_until

suite = Suite()

EXAMPLE, ALIAS, AT = "example.org", "alias.example", "at.example"


class Hosts:
    """A server with its hosts; and the second port, which is at.example's."""

    def __init__(self, world, port):
        self.world, self.at = world, ("127.0.0.1", port)
        self.ada, self.example_ada, self.bob, self.at_ada = world.users


@contextlib.contextmanager
def fixture():
    port = place.free_port(("127.0.0.1",))
    with server.configured(
        users=(("ada", None, ""),),
        hosts=(
            server.Host("Example.ORG", (("ada", None, ""), ("bob", None, "")),
                        {"greeting": '"Files of the example"'}),
            server.Host(ALIAS),
            server.Host(AT, (("ada", None, ""),),
                        {"listen": f'"127.0.0.1:{port}"', "greeting": "There"}),
        ),
        setting=server.SHA512_1000,
        greeting='"The server itself"',
        gateways=1,
    ) as world:
        yield Hosts(world, port)


@contextlib.contextmanager
def at_host(world, name=None, address=None):
    """A control connection that asked for that host."""
    with Control(address or world.world.address) as control:
        control.reply(220)
        if name:
            control.command(f"HOST {name}", 220)
        yield control


def log_in(control, user, code=230):
    control.command(f"USER {user.name}", 331)
    return control.command(f"PASS {user.password}", code)


@suite.case("the server greets, a host greets in its own words, in any case of its name")
def _(world):
    with Control(world.world.address) as control:
        equal(control.reply(220).text, b"The server itself")
        for name in (EXAMPLE, "EXAMPLE.org"):
            equal(control.command(f"HOST {name}", 220).text, b"Files of the example")
        equal(control.command(f"HOST {ALIAS}", 220).text, b"The server itself")


@suite.case("FEAT has HOST")
def _(world):
    with at_host(world) as control:
        check(b" HOST" in control.command("FEAT", 211).lines, "no HOST")


@suite.case("one name at two hosts is two people: password, home, worker")
def _(world):
    world.ada.file("whose", b"of the server")
    world.example_ada.file("whose", b"of the example")
    with at_host(world) as plain, at_host(world, EXAMPLE) as example:
        for control, own, other in ((plain, world.ada, world.example_ada),
                                    (example, world.example_ada, world.ada)):
            log_in(control, other, 530)
            log_in(control, own)
        plain.command("TYPE I", 200)
        equal(plain.fetch("RETR whose"), b"of the server")
        equal(example.fetch("RETR whose"), b"of the example")
        first, second = worker_of(world, "ada"), worker_of(world, f"{EXAMPLE}/ada")
        check(first != second, f"both have worker {first}")


def worker_of(world, who):
    """The worker that the last session of that account was given."""
    return world.world.wait_record(event="attached", account=who)["worker_pid"]


@suite.case("sessions of both side by side keep both workers")
def _(world):
    with at_host(world) as plain, at_host(world, EXAMPLE) as example:
        log_in(plain, world.ada)
        log_in(example, world.example_ada)
        before = worker_of(world, "ada"), worker_of(world, f"{EXAMPLE}/ada")
        for _ in range(3):
            with at_host(world) as again:
                log_in(again, world.ada)
            with at_host(world, EXAMPLE) as again:
                log_in(again, world.example_ada)
        equal((worker_of(world, "ada"), worker_of(world, f"{EXAMPLE}/ada")), before, "workers")


@suite.case("a user of one host is nobody elsewhere")
def _(world):
    with at_host(world) as control:
        log_in(control, world.bob, 530)
    with at_host(world, ALIAS) as control:
        log_in(control, world.bob, 530)
    with at_host(world, EXAMPLE) as control:
        log_in(control, world.bob)


@suite.case("a host without users of its own has the server's: the same person, the same worker")
def _(world):
    with at_host(world) as plain, at_host(world, ALIAS) as alias:
        log_in(plain, world.ada)
        first = worker_of(world, "ada")
        log_in(alias, world.ada)
        equal(worker_of(world, "ada"), first, "worker")


@suite.case("who comes to a host's address is there, and may ask for another host")
def _(world):
    with Control(world.at) as control:
        equal(control.reply(220).text, b"There")
        log_in(control, world.at_ada)
    with at_host(world, EXAMPLE, world.at) as control:
        log_in(control, world.example_ada)
    with at_host(world, "127.0.0.1", world.at) as control:
        log_in(control, world.at_ada)


@suite.case("a host of an address is reached by its name elsewhere, too")
def _(world):
    with at_host(world, AT) as control:
        log_in(control, world.at_ada)


@suite.case("REIN is back where the connection began")
def _(world):
    with at_host(world, EXAMPLE) as control:
        log_in(control, world.example_ada)
        control.command("REIN", 220)
        log_in(control, world.example_ada, 530)
        log_in(control, world.ada)


@suite.table(
    [("HOST nobody.example", 504), ("HOST 192.0.2.1", 504), ("HOST", 501), ("HOST a b", 501),
     ("HOST example.org:21", 501), ("HOST ../example.org", 501)],
    lambda row: f"{row[0]!r} is {row[1]}, and changes nothing",
)
def _(world, row):
    line, code = row
    with at_host(world, EXAMPLE) as control:
        control.command(line, code)
        log_in(control, world.example_ada)


@suite.case("HOST after USER is 503, and so it is once logged in")
def _(world):
    with at_host(world) as control:
        control.command("USER ada", 331)
        control.command(f"HOST {EXAMPLE}", 503)
        control.command(f"PASS {world.ada.password}", 230)
        control.command(f"HOST {EXAMPLE}", 503)


@suite.case("sessions of a user are counted by host")
def _(_world):
    users = (("ada", None, "max_sessions_per_user=1"),)
    with server.configured(
        users=users, hosts=(server.Host(EXAMPLE, users),), setting=server.SHA512_1000
    ) as world:
        world.expect("too-many-sessions-of-user")
        own, other = world.users
        with session(world, own), Control(world.address) as control:
            control.reply(220)
            control.command(f"HOST {EXAMPLE}", 220)
            log_in(control, other)
            with Control(world.address) as third:
                third.reply(220)
                third.command(f"HOST {EXAMPLE}", 220)
                log_in(third, other, 421)


@suite.case("the log tells users of hosts apart, and says at which host a login was tried")
def _(world):
    start = world.world.mark()
    with at_host(world, EXAMPLE) as control:
        log_in(control, world.ada, 530)
        log_in(control, world.example_ada)
        control.command("MKD seen", 257)
    refused = world.world.wait_record(start, event="login", verdict="refused")
    equal((refused["host"], refused["name"]), (EXAMPLE, "ada"))
    made = world.world.wait_record(start, event="operation", name="mkdir")
    equal(made["user"], f"{EXAMPLE}/ada", "user of the operation")


@suite.case("a reload reaches users of hosts: rights change, who is gone is closed")
def _(_world):
    users = (("ada", None, ""), ("bob", None, ""))
    with server.configured(
        users=(("ada", None, ""),), hosts=(server.Host(EXAMPLE, users),),
        setting=server.SHA512_1000,
    ) as world, contextlib.ExitStack() as stack:
        controls = []
        for host, user in zip((None, EXAMPLE, EXAMPLE), world.users):
            control = stack.enter_context(Control(world.address))
            control.reply(220)
            if host:
                control.command(f"HOST {host}", 220)
            log_in(control, user)
            controls.append(control)
        plain, ada, bob = controls
        path = world.users[0].home.parent.parent / f"users of {EXAMPLE}"
        kept = path.read_text().splitlines()[0]
        path.write_text(f"{kept}/=read+list\n")
        os.kill(world.pid, signal.SIGHUP)
        bob.reply(421)
        bob.expect_end()
        names = itertools.count()
        wait_until(lambda: ada.command(f"MKD {next(names)}", 257, 550).code == 550,
                   "rights of a host's user that change")
        plain.command("MKD new", 257)


if __name__ == "__main__":
    suite.main(fixture)
