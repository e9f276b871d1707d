"""What it costs that the private key is in another process: full handshakes a second beside those
of the same gateway with the key in itself (gateway_with_key.c)."""

import contextlib
import os
import shutil
import statistics

from groups import Group
from harness import place, server, tls
from rows import cpu_seconds, load

SESSIONS, COUNT = 8, 3000
GOAL = 0.85
KEY_VARIABLE = "SALLYPORT_BENCH_KEY"
PROGRAMS = ("gateway", "worker", "auth", "keys", "record", "resolver")


@contextlib.contextmanager
def programs_with_key(secret):
    """A folder with all programs, where the gateway is the one with the key; its supervisor."""
    with place.temporary_folder() as folder:
        shutil.copy(place.program("sallyportd"), folder)  # it looks for the others beside itself
        for name in (f"sallyport-{role}" for role in PROGRAMS):
            there = name if name != "sallyport-gateway" else "sallyport-gateway-with-key"
            (folder / name).symlink_to(place.program(there))
        readable = shutil.copy(secret, folder / "key")
        os.chmod(readable, 0o644)
        os.environ[KEY_VARIABLE] = str(readable)
        try:
            yield folder / "sallyportd"
        finally:
            del os.environ[KEY_VARIABLE]


@contextlib.contextmanager
def both(limits):
    """The server as it is, and the one to compare it with."""
    with contextlib.ExitStack() as stack:
        pair = tls.make_certificate(stack.enter_context(place.temporary_folder()))
        supervisors = {"keys": None, "itself": stack.enter_context(programs_with_key(pair[1]))}
        worlds = {}
        for name, program in supervisors.items():
            group = Group("cpu", f"sallyport-bench-{name}")
            stack.callback(group.remove)
            with group.entered():
                worlds[name] = stack.enter_context(
                    server.configured(
                        setting=server.SHA512_1000, program=program, **tls.options(*pair), **limits
                    )
                )
            worlds[name].group = group
        yield worlds


def measure_one(world):
    """(handshakes a second, CPU seconds of each)"""
    before = cpu_seconds(world)
    told = load(world, "tlsshake", SESSIONS, COUNT)
    assert told["full"] == COUNT, f"{told['full']} full handshakes of {COUNT}"
    return COUNT / told["seconds"], (cpu_seconds(world) - before) / COUNT


def measure_handshakes(limits, rounds):
    results = {}
    with both(limits) as worlds:
        for _ in range(rounds):
            for name, world in worlds.items():
                results.setdefault(name, []).append(measure_one(world))
    (rate, cpu_s), (rate_itself, cpu_itself_s) = (
        [statistics.median(column) for column in zip(*results[name])] for name in worlds
    )
    ratio = rate / rate_itself
    return (
        f"TLS handshakes, ECDSA P-256: {rate:,.0f}/s ({cpu_s * 1e6:,.0f} us of CPU), with the key "
        f"in the gateway {rate_itself:,.0f}/s ({cpu_itself_s * 1e6:,.0f} us): ratio {ratio:.2f}; "
        f"goal {GOAL}: {'met' if ratio >= GOAL else 'MISSED'}"
    )


MEASURES = {"TLS handshakes": measure_handshakes}
