#!/usr/bin/python3 -B
"""Patience: what happens when somebody says nothing for too long, and what is no silence.

Each limit is configured as one second; nothing here is measured, only awaited.
"""

import contextlib
import socket
import time
import zlib

from harness import ftp, server
from harness.fixtures import noise
from harness.ftp import Control, passive_address, session
from harness.tap import AT_A_TIME, LIVENESS_S, Suite, check, equal, wait_until

suite = Suite()

BIG = 64 << 20


@suite.case("no login in time: 421 and the end, also for one who keeps talking")
def _(_nothing):
    with server.configured(login_timeout="1s") as world:
        with Control(world.address) as silent, Control(world.address) as busy:
            for control in (silent, busy):
                control.reply(220)
            codes = []
            while 421 not in codes:
                codes.append(busy.command("NOOP", 200, 421).code)
            silent.reply(421)
            for control in (silent, busy):
                control.expect_end()


@suite.case("idle between commands: 421 and the end")
def _(_nothing):
    with server.configured(idle_timeout="1s") as world, Control(world.address) as control:
        control.login(world.user.name, world.user.password)
        control.reply(421)
        control.expect_end()


@suite.case("SITE IDLE: what a client asks for holds, up to idle_timeout_max")
def _(_nothing):
    limits = {"idle_timeout": "1s", "idle_timeout_max": "1h"}
    with server.configured(**limits) as world, Control(world.address) as control:
        user = world.user
        control.send(f"USER {user.name}\r\nPASS {user.password}\r\nSITE IDLE 3601\r\nSITE IDLE 3600\r\n")
        for code in (220, 331, 230, 501, 200):
            control.reply(code)
        with Control(world.address) as other:  # who is idle for as long, and then some
            other.login(user.name, user.password)
            other.reply(421)
        control.command("SITE IDLE 1", 200)
        control.reply(421)
        control.expect_end()


@suite.case("bytes that are no command yet are idle time, too")
def _(_nothing):
    with server.configured(idle_timeout="1s") as world, Control(world.address) as control:
        control.login(world.user.name, world.user.password)
        control.socket.settimeout(0.1)
        answer = b""
        for _ in range(LIVENESS_S * 10):
            with contextlib.suppress(TimeoutError):
                answer += control.socket.recv(100)
            if answer:
                break
            control.send("N")
        check(answer.startswith(b"421 "), f"got {answer!r}")
        control.socket.settimeout(LIVENESS_S)
        control.expect_end(silent=False)


@suite.case("a transfer is no idle time, however long it takes")
def _(_nothing):
    with server.configured(idle_timeout="1s") as world:
        world.user.file("big", bytes(BIG))
        with session(world) as control, control.data() as data:
            control.command("RETR big", 150)
            got, end = 0, time.monotonic() + 3
            while time.monotonic() < end:
                got += len(data.socket.recv(1000))
                control.socket.settimeout(0.2)
                try:
                    check(not control.socket.recv(100, socket.MSG_PEEK), "it was told something")
                except TimeoutError:
                    pass
            control.socket.settimeout(LIVENESS_S)
            equal(got + len(data.read()), BIG, "bytes")
            control.reply(226)
            control.command("PWD", 257)


@suite.case("nobody comes to a passive port: 425, and the session goes on")
def _(_nothing):
    with server.configured(data_timeout="1s") as world:
        world.user.file("file", b"content")
        with session(world) as control:
            for verb in ("RETR file", "STOR new", "LIST"):
                passive_address(control, "EPSV")
                control.line(verb)
                codes = [control.reply().code]
                codes += [control.reply().code] if codes == [150] else []
                equal(codes[-1], 425, verb)
            wait_until(lambda: world.user.names() == [b"file"], f"left: {world.user.names()}")
            equal(control.fetch("RETR file"), b"content")


@suite.case("nobody takes an active connection: 425, and the session goes on")
def _(_nothing):
    with server.configured(data_timeout="1s") as world, session(world) as control:
        with contextlib.ExitStack() as stack:
            # Full: what knocks there waits in vain.
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(4):
                knocking = stack.enter_context(socket.socket())
                knocking.setblocking(False)
                knocking.connect_ex(listener.getsockname())
            for verb in ("LIST", "STOR new"):
                control.command(ftp.port_command("127.0.0.1", listener.getsockname()[1]), 200)
                control.command(verb, 425)
        wait_until(lambda: world.user.names() == [], "nothing is left")
        control.command("PWD", 257)


STALLING = (("RETR big", "S"), ("RETR big", "Z"), ("STOR half", "S"), ("STOR half", "Z"))


@suite.case("a transfer that stalls is given up, in both directions, and leaves nothing")
def _(_nothing):
    with server.configured(stall_timeout="1s") as world:
        world.user.file("big", noise(BIG))
        before = world.user.names()
        with contextlib.ExitStack() as stack:
            stalled = []
            for line, mode in STALLING:
                control = stack.enter_context(session(world))
                control.command(f"MODE {mode}", 200)
                data = stack.enter_context(control.data())
                control.command(line, 150)
                if line.startswith("STOR"):
                    data.socket.sendall(zlib.compress(noise(100_000))[:-9])
                stalled.append(control)
            for control in stalled:
                control.reply(426)
                control.command("PWD", 257)
        wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")


@suite.case("a session ends at session_limit, idle or busy or in a transfer, which leaves nothing")
def _(_nothing):
    with server.configured(session_limit="2s") as world:
        world.user.file("big", bytes(BIG))
        before = world.user.names()
        with contextlib.ExitStack() as stack:
            controls = [stack.enter_context(Control(world.address)) for _ in range(4)]
            for control in controls:
                control.login(world.user.name, world.user.password)
            _, busy, sends, receives = controls
            for control, line in ((sends, "RETR big"), (receives, "STOR half")):
                data = stack.enter_context(control.data())
                control.command(line, 150)
                if control is receives:
                    data.socket.sendall(bytes(100_000))
            codes = []
            while 421 not in codes:
                codes.append(busy.command("NOOP", 200, 421).code)
            for control in controls:
                if control is not busy:
                    control.reply(421)
                control.expect_end()
        wait_until(lambda: world.user.names() == before, f"left: {world.user.names()}")
        world.wait_record(event="disconnected", reason="closed-by-server")
        with session(world) as control:
            control.command("PWD", 257)


@suite.case("three wrong passwords end a connection; the right one still works elsewhere")
def _(_nothing):
    with server.configured(login_attempts="3") as world:
        with Control(world.address, source="127.0.0.7") as control:
            control.reply(220)
            codes = []
            for _ in range(3):
                control.command(f"USER {world.user.name}", 331)
                codes.append(control.command("PASS wrong").code)
            equal(codes[:2], [530, 530], "the first two")
            check(codes[2] in (421, 530), f"the third: {codes[2]}")
            control.expect_end(silent=codes[2] == 421)
        with session(world) as control:
            control.command("PWD", 257)


if __name__ == "__main__":
    suite.main(contextlib.nullcontext, AT_A_TIME)
