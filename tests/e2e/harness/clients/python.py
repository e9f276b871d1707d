"""Python's two: ftplib of the standard library, and aioftp's client."""

import asyncio
import calendar
import ftplib
import importlib.util
import time

from ..tap import Skip
from ..tls import context
from .base import EXPLICIT, LIMIT_S, MIRROR, TIMES_UP, Stepped

BLOCK_BYTES = 65536


class Resuming(ftplib.FTP_TLS):
    """With data connections that resume the session of the control connection."""

    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(connection, session=self.sock.session), size


class Ftplib(Stepped):
    name = "ftplib"
    tls = (EXPLICIT,)
    lacks = {MIRROR: "file by file", TIMES_UP: "does not send them"}
    secure_class = Resuming

    def connect(self):
        if self.secured:
            connection = self.secure_class(context=context(), timeout=LIMIT_S, encoding="utf-8")
        else:
            connection = ftplib.FTP(timeout=LIMIT_S, encoding="utf-8")
        connection.connect(self.host, self.port)
        connection.login(self.user.name, self.user.password)
        connection.set_pasv(self.passive)
        if self.secured:
            connection.prot_p()
        return connection

    def steps(self, rows):
        result = None
        with self.connect() as connection:
            for verb, *words in rows:
                result = getattr(self, f"do_{verb}")(connection, *words)
        return result

    def do_put(self, connection, local, path, offset):
        with open(local, "rb") as file:
            file.seek(offset)
            connection.storbinary(f"STOR {path}", file, BLOCK_BYTES, rest=offset or None)

    def do_get(self, connection, path, local, offset):
        with open(local, "ab" if offset else "wb") as file:
            connection.retrbinary(f"RETR {path}", file.write, BLOCK_BYTES, rest=offset or None)

    def do_rename(self, connection, old, new):
        connection.rename(old, new)

    def do_delete(self, connection, path):
        connection.delete(path)

    def do_make_folder(self, connection, path):
        connection.mkd(path)

    def do_remove_folder(self, connection, path):
        connection.rmd(path)

    def do_time(self, connection, path):
        words = connection.voidcmd(f"MDTM {path}").split()
        return calendar.timegm(time.strptime(words[1][:14], "%Y%m%d%H%M%S"))


class FtplibFresh(Ftplib):
    """As it is: each data connection begins a session of its own."""

    name = "ftplib without session reuse"
    secure_class = ftplib.FTP_TLS
    resumes_sessions = False
    tls_says = "no session reuse"


class Aioftp(Stepped):
    name = "aioftp"
    modes = {4: ("PASV", "EPSV"), 6: ("EPSV",)}
    tls_says = "waits for the handshake of a data connection before it asks for anything"
    lacks = {TIMES_UP: "does not send them"}
    unsayable_says = "strips trailing blanks"
    unsayable = ("trailing blank {n} ",)

    def __init__(self, *arguments):
        super().__init__(*arguments)
        if not importlib.util.find_spec("aioftp"):
            raise Skip("python3-aioftp")

    def steps(self, rows):
        return asyncio.run(self.all_steps(rows))

    async def all_steps(self, rows):
        import aioftp

        client = aioftp.Client(socket_timeout=LIMIT_S, passive_commands=[self.mode.lower()])
        result = None
        await client.connect(self.host, self.port)
        try:
            await client.login(self.user.name, self.user.password)
            for verb, *words in rows:
                result = await getattr(self, f"do_{verb}")(client, *words)
            await client.quit()
        finally:
            client.close()
        return result

    async def do_put(self, client, local, path, offset):
        with open(local, "rb") as file:
            file.seek(offset)
            async with client.upload_stream(path, offset=offset) as stream:
                while block := file.read(BLOCK_BYTES):
                    await stream.write(block)

    async def do_get(self, client, path, local, offset):
        with open(local, "ab" if offset else "wb") as file:
            async with client.download_stream(path, offset=offset) as stream:
                async for block in stream.iter_by_block(BLOCK_BYTES):
                    file.write(block)

    async def do_rename(self, client, old, new):
        await client.rename(old, new)

    async def do_delete(self, client, path):
        await client.remove_file(path)

    async def do_make_folder(self, client, path):
        await client.make_directory(path)

    async def do_remove_folder(self, client, path):
        await client.remove_directory(path)

    async def do_time(self, client, path):
        facts = await client.stat(path)
        return calendar.timegm(time.strptime(facts["modify"][:14], "%Y%m%d%H%M%S"))

    async def do_put_tree(self, client, local, folder):
        await client.change_directory(folder)
        await client.upload(local)  # its inner paths are seen from the current folder

    async def do_get_tree(self, client, path, local):
        await client.download(path, local, write_into=True)

    def put_tree(self, local, remote):
        self.steps([["put_tree", str(local), remote.rpartition("/")[0]]])

    def get_tree(self, remote, names, local):
        self.steps([["get_tree", remote, str(local)]])
