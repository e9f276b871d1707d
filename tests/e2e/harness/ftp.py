"""A client that shows everything: raw bytes out, replies read strictly by RFC 959 §4.2.

Nothing is repaired and nothing is retried.  A reply that breaks the rules (bare LF, control
characters, a line over 512 bytes where no path stands, a last line that does not match) fails
the test that read it.
"""

import contextlib
import re
import socket

from .tap import LIVENESS_S, Failure, check, equal, shorten, wait_until

IAC, WILL, DO, IP, NOP, DM = b"\xff", b"\xfb", b"\xfd", b"\xf4", b"\xf1", b"\xf2"
CARRIES_PATH = {150, 211, 212, 213, 250, 251, 257}
MODES_4 = ("PASV", "EPSV", "PORT", "EPRT")
MODES_6 = ("EPSV", "EPRT")


def telnet(name):
    """As it goes over the control connection: 255 is doubled (RFC 854)."""
    return name.replace(b"\xff", b"\xff\xff")


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Reply:
    def __init__(self, code, lines):
        self.code = code
        self.lines = lines  # whole lines without their line end

    @property
    def text(self):
        """The first line after its code."""
        return self.lines[0][4:]

    def __repr__(self):
        return shorten(b"\n".join(self.lines))


class Control:
    """One control connection. Use as a context manager; reads have the liveness limit."""

    def __init__(self, address, source=None):
        family_source = (source, 0) if source else None
        self.socket = socket.create_connection(address[:2], LIVENESS_S, family_source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.source = source

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def name(self):
        """What the record calls its end: the peer."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if self.ipv6 else f"{host}:{port}"

    @property
    def ipv6(self):
        return self.socket.family == socket.AF_INET6

    def send(self, data):
        self.socket.sendall(to_bytes(data))

    def line(self, text):
        self.send(to_bytes(text) + b"\r\n")

    def read_line(self):
        while b"\n" not in self.buffer:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise Failure(f"no reply within {LIVENESS_S} s; so far {self.buffer!r}") from None
            if not more:
                raise EOFError(f"control connection closed; so far {self.buffer!r}")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        check(line.endswith(b"\r"), f"a reply line ends in a bare LF: {shorten(line)}")
        line = line[:-1]
        control = [byte for byte in line if byte < 32 or byte == 127]
        check(not control, f"control characters in a reply line: {shorten(line)}")
        return line

    def reply(self, *expected):
        """Read one reply; with codes given it must be one of them."""
        first = self.read_line()
        head = re.match(rb"([1-5][0-5][0-9])([ -])", first)
        check(head, f"not an FTP reply: {shorten(first)}")
        lines, code = [first], int(head[1])
        while head[2] == b"-":
            lines.append(self.read_line())
            if lines[-1].startswith(head[1] + b" "):
                break
        for line in lines if code not in CARRIES_PATH else []:
            check(len(line) + 2 <= 512, f"a reply line of {len(line) + 2} bytes: {shorten(line)}")
        answer = Reply(code, lines)
        check(not expected or code in expected, f"got {answer}, want {expected}")
        return answer

    def command(self, text, *expected):
        self.line(text)
        try:
            return self.reply(*expected)
        except (Failure, EOFError) as error:
            raise Failure(f"{shorten(to_bytes(text))}: {error}") from None

    def login(self, user, password):
        self.reply(220)
        self.command(b"USER " + to_bytes(user), 331)
        return self.command(b"PASS " + to_bytes(password), 230)

    def expect_end(self, silent=True):
        """The server closes; with silent, without another byte."""
        rest = self.buffer
        try:
            while more := self.socket.recv(65536):
                rest += more
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise Failure("the server does not close the control connection") from None
        check(not (silent and rest), f"unexpected bytes before the end: {shorten(rest)}")
        return rest

    def data(self, mode=None):
        """Announce a data connection by PASV, EPSV, PORT or EPRT (see Data)."""
        return Data(self, mode or "EPSV")

    def fetch(self, command, mode=None):
        """A whole transfer towards us: its bytes."""
        with self.data(mode) as data:
            self.command(command, 150)
            body = data.read()
            self.reply(226)
        return body

    def store(self, command, body, mode=None):
        """A whole transfer from us: the 226."""
        with self.data(mode) as data:
            self.command(command, 150)
            data.write(body)
            return self.reply(226)

    def lines(self, command):
        """A listing as its lines, each of which must end in CRLF."""
        body = self.fetch(command)
        check(not body or body.endswith(b"\r\n"), f"a listing without CRLF at its end: {body!r}")
        lines = body.split(b"\r\n")[:-1]
        for line in lines:
            check(b"\n" not in line and b"\r" not in line, f"line end in a line: {line!r}")
        return lines


class Data:
    """A data connection in any of the four ways; connected when it is first used."""

    def __init__(self, control, mode):
        self.control, self.mode = control, mode
        self.listener = self.connection = None
        if mode in ("PASV", "EPSV"):
            self.address = passive_address(control, mode)
            self.connection = self._connect()
        else:
            self._listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (self.listener, self.connection):
            if end:
                end.close()

    def _connect(self):
        source = (self.control.source, 0) if self.control.source else None
        return socket.create_connection(self.address, LIVENESS_S, source)

    def _listen(self):
        own = self.control.socket.getsockname()[0]
        self.listener = socket.create_server((own, 0), family=self.control.socket.family)
        self.listener.settimeout(LIVENESS_S)
        command = {"PORT": port_command, "EPRT": eprt_command}[self.mode]
        self.control.command(command(own, self.listener.getsockname()[1]), 200)

    @property
    def socket(self):
        if not self.connection:
            try:
                self.connection, peer = self.listener.accept()
            except TimeoutError:
                raise Failure("the server did not connect") from None
            equal(peer[0], self.control.socket.getpeername()[0], "address that connects")
            self.connection.settimeout(LIVENESS_S)
        return self.connection

    def read(self):
        """Everything up to the end of the stream."""
        pieces = []
        while piece := self.socket.recv(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    def write(self, body):
        """All of it, then the end of the stream."""
        self.socket.sendall(body)
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """End by RST instead of FIN."""
        reset(self.socket)


def reset(end):
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    end.close()


def receive(control, data, name):
    """RETR over a connection that is there: the bytes."""
    control.line(f"RETR {name}")
    with data:
        body = b"".join(iter(lambda: data.recv(65536), b""))
    control.reply(150)
    control.reply(226)
    return body


def knock(address, source):
    """A connection under way; more of them may come than a listener's queue takes."""
    end = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    end.bind((source, 0))
    end.setblocking(False)
    end.connect_ex(address)
    return end


def gets_nothing(end, may_wait=False):
    """Not one byte comes through that connection; it is ended, or still waits in a queue."""
    with end, contextlib.suppress(ConnectionResetError, *([OSError] if may_wait else [])):
        end.settimeout(LIVENESS_S)
        equal(end.recv(1), b"", "bytes for a stranger")


def refuses(control, line):
    """Whatever it says, it is 5xx."""
    code = control.command(line).code
    check(500 <= code < 600, f"{line}: {code}")


def passive_address(control, mode):
    """Where PASV or EPSV says that the server listens."""
    if mode == "EPSV":
        answer = control.command("EPSV", 229)
        port = re.search(rb"\(\|\|\|(\d+)\|\)", answer.lines[0])
        check(port, f"no port in {answer}")
        return control.socket.getpeername()[0], int(port[1])
    answer = control.command("PASV", 227)
    six = re.search(rb"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", answer.lines[0])
    check(six, f"no address in {answer}")
    numbers = [int(part) for part in six.groups()]
    return ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]


def port_command(address, port):
    return f"PORT {address.replace('.', ',')},{port // 256},{port % 256}"


def eprt_command(address, port):
    return f"EPRT |{2 if ':' in address else 1}|{address}|{port}|"


@contextlib.contextmanager
def session(server, user=None, address=None, source=None):
    """A logged-in session in TYPE I that says QUIT at its end."""
    user = user or server.user
    with Control(address or server.address, source) as control:
        control.login(user.name, user.password)
        control.command("TYPE I", 200)
        yield control
        control.command("QUIT", 221)


def log_in_again(server):
    """A whole session with a transfer, as soon as one can be had."""

    def attempt():
        with contextlib.suppress(Failure, EOFError, OSError), session(server) as control:
            control.store("STOR alive", b"yes")
            return control.fetch("RETR alive") == b"yes"

    wait_until(attempt, "a login that works again")
