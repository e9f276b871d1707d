#!/usr/bin/python3 -B
"""Crowds: those that never log in, and those that come and go at once.

HOSTILE classes 29 and 31: whoever wants to work is served all the same, and nothing is left over.
"""

import contextlib
import os
import socket

from harness import server
from harness.ftp import Control, log_in_again, reset, session
from harness.tap import LIVENESS_S, Suite, check, equal

suite = Suite()

CROWD = 1000


@suite.case("1,000 connections that never log in do not keep another address out")
def _(_world):
    with server.quick() as world, contextlib.ExitStack() as stack:
        crowd = []
        for _ in range(CROWD):
            end = socket.create_connection(world.address, LIVENESS_S)
            crowd.append(stack.enter_context(end))
        with session(world, source="127.0.0.2") as control:
            control.store("STOR through", b"x")
        told = sum(end.recv(4) == b"421 " for end in crowd)
        check(0 < told < CROWD, f"{told} of {CROWD} were turned away with 421")


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


@suite.case("3,000 connections that are reset at once leave it serving, with its descriptors back")
def _(_world):
    with server.quick() as world:
        log_in_again(world)
        before = world.idle_footprint().descriptors if os.geteuid() == 0 else None
        for _ in range(3000):
            end = socket.create_connection(world.address, LIVENESS_S)
            reset(end)
        log_in_again(world)
        if before is not None:
            equal(world.idle_footprint().descriptors, before, "descriptors")


if __name__ == "__main__":
    suite.main(contextlib.nullcontext)
