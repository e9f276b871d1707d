"""A small proxy that speaks the PROXY protocol, in front of a server under test.

It listens on an address of its own, connects on from another one, says there whom it relays, and
then passes bytes both ways.
"""

import contextlib
import socket
import struct
import threading

from .tap import LIVENESS_S

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version1(client, reached):
    family = "TCP6" if ":" in client[0] else "TCP4"
    return f"PROXY {family} {client[0]} {reached[0]} {client[1]} {reached[1]}\r\n".encode()


def version2(client, reached, extra=b""):
    family, byte = (socket.AF_INET6, 0x21) if ":" in client[0] else (socket.AF_INET, 0x11)
    ends = b"".join(socket.inet_pton(family, host) for host, _ in (client, reached))
    body = ends + struct.pack(">HH", client[1], reached[1]) + extra
    return SIGNATURE + bytes([0x21, byte]) + struct.pack(">H", len(body)) + body


def local(_client=None, _reached=None):
    return SIGNATURE + b"\x20\0\0\0"


def unknown(_client=None, _reached=None):
    return b"PROXY UNKNOWN\r\n"


def nothing(_client=None, _reached=None):
    return b""


class Relay:
    """One relayed port: from `address` here to the server; closed by close().

    header(client, reached) is what is said first; claimed, if given, is the client that is named.
    """

    def __init__(self, server, header, host="127.0.0.20", source="127.0.0.21", claimed=None):
        self.server, self.header, self.source, self.claimed = server, header, source, claimed
        self.listener = socket.create_server((host, 0))
        self.address = self.listener.getsockname()
        self.ends = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, name = self.listener.accept()
                reached = client.getsockname()
                onward = socket.create_connection(self.server, LIVENESS_S, (self.source, 0))
                onward.settimeout(None)
                onward.sendall(self.header(self.claimed or name, reached))
                self.ends += [client, onward]
                for pair in ((client, onward), (onward, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def close(self):
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pump(source, target):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
    with contextlib.suppress(OSError):
        source.shutdown(socket.SHUT_RD)
