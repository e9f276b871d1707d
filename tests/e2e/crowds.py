#!/usr/bin/python3 -B
"""Crowds: more connections than there may be, and those that all work; those of one address, and
storms, are in strangers.py.
"""

import contextlib
import json
import socket

from harness import place, server
from harness.ftp import Control, log_in_again
from harness.launch import run
from harness.tap import LIVENESS_S, Suite, equal

suite = Suite()

CROWD = 1000


@suite.case("more connections than there may be: 421 for who comes then, until the crowd has left")
def _(_world):
    with server.configured(max_connections_before_login="200") as world:
        with contextlib.ExitStack() as stack:
            for number in range(CROWD):
                source = (f"127.1.{number // 250}.{number % 250 + 1}", 0)
                end = socket.create_connection(world.address, LIVENESS_S, source)
                stack.enter_context(end)
            with Control(world.address) as control:
                control.reply(421)
                control.expect_end()
        log_in_again(world)


@suite.case("64 sessions in a loop of eight commands: not one wrong reply, not one byte amiss")
def _(_world):
    turns, size = 320, 10 << 10
    with server.configured(max_sessions_per_user=100) as world:
        world.user.file("file", bytes(size))
        who = [*world.address, world.user.name, world.user.password]
        done = run([place.program("load"), *who, "mixed", 64, turns, "file", size])
        told = json.loads(done.stdout)
        equal((told["turns"], told["bytes"]), (turns, 2 * turns * size), "turns, bytes")
        equal(world.user.names(), [b"file"], "what is left")


if __name__ == "__main__":
    suite.main(contextlib.nullcontext)
