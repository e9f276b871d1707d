"""lftp, by a script on its standard input."""

from .base import EXPLICIT, IMPLICIT, Client, quoted


class Lftp(Client):
    name = "lftp"
    programs = ("lftp",)
    modes = {4: ("PASV", "EPSV", "PORT"), 6: ("EPSV",)}  # its EPRT announces :: on the loopback
    tls = (EXPLICIT, IMPLICIT)

    def script(self, *lines):
        settings = {
            "cmd:fail-exit": "yes",
            "net:max-retries": "1",
            "net:timeout": "20",
            "ftp:ssl-allow": "yes" if self.secured else "no",
            "ftp:ssl-force": "yes" if self.secured else "no",
            "ftp:ssl-protect-data": "yes",
            "ssl:verify-certificate": "no",
            "ftp:list-options": "-a",
            "ftp:use-mode-z": "yes" if self.compresses else "no",
            "ftp:mode-z-level": "1",
            "ftp:passive-mode": "yes" if self.passive else "no",
            "ftp:prefer-epsv": "yes" if self.mode == "EPSV" else "no",
        }
        head = [f"set {name} {value}" for name, value in settings.items()]
        login = quoted(f"{self.user.name},{self.user.password}")
        scheme = "ftps" if self.secured == IMPLICIT else "ftp"
        head.append(f"open -u {login} {scheme}://{self.url_host}:{self.port}")
        text = "\n".join([*head, *lines, "bye", ""])
        return self.run("lftp", "--norc", "-f", "/dev/stdin", script=text)

    @property
    def compresses(self):
        """Whether it uses MODE Z, which costs more than anything else here."""
        return self.mode == "EPSV" and ":" not in self.host and not self.secured

    def put(self, local, names, remote, *options):
        self.script(
            *(
                f"put {' '.join(options)} -O {quoted(remote)} -- {quoted(local / name)}"
                for name in names
            )
        )

    def get(self, remote, names, local, *options):
        self.script(
            *(
                f"get {' '.join(options)} -O {quoted(local)} -- {quoted(f'{remote}/{name}')}"
                for name in names
            )
        )

    def resume_put(self, local, name, remote):
        self.put(local, [name], remote, "-c")

    def resume_get(self, remote, name, local):
        self.get(remote, [name], local, "-c")

    def put_tree(self, local, remote):
        self.script(f"mirror --reverse --parallel=4 --no-perms {quoted(local)} {quoted(remote)}")

    def get_tree(self, remote, names, local):
        self.script(f"mirror --parallel=4 --no-perms {quoted(remote)} {quoted(local)}")

    def rename(self, remote, pairs):
        self.script(
            *(f"mv {quoted(f'{remote}/{old}')} {quoted(f'{remote}/{new}')}" for old, new in pairs)
        )

    def remove(self, remote, names):
        self.script(*(f"rm {quoted(f'{remote}/{name}')}" for name in names))

    def make_folder(self, path):
        self.script(f"mkdir {quoted(path)}")

    def remove_folder(self, path):
        self.script(f"rmdir {quoted(path)}")
