#!/usr/bin/python3 -B
"""Crowds: more connections than there may be; those of one address, and storms, are in strangers.py."""

import contextlib
import socket

from harness import server
from harness.ftp import Control, log_in_again
from harness.tap import LIVENESS_S, Suite

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


if __name__ == "__main__":
    suite.main(contextlib.nullcontext)
