"""vsftpd (Debian's package) beside ours: for the benchmark, and to try the tests' own clients.

It runs in a mount namespace of its own, where copies of passwd, group, shadow and one PAM service
are bound over the system's: its account exists nowhere else, and nothing is left to clean up.
"""

import contextlib
import os
import shutil
import signal

from . import launch, place, processes, server
from .tap import Skip, wait_until


CONFIGURATION = """\
listen=NO
listen_ipv6=YES
listen_port={port}
background=NO
local_enable=YES
anonymous_enable=NO
write_enable=YES
local_umask=022
chroot_local_user=YES
allow_writeable_chroot=YES
local_root={home}
pam_service_name=vsftpd
pasv_min_port={first}
pasv_max_port={last}
max_clients=0
max_per_ip=0
idle_session_timeout=3600
xferlog_enable={logging}
xferlog_file={folder}/transfers.log
connect_from_port_20=NO
ls_recurse_enable=YES
utf8_filesystem=YES
use_localtime=NO
"""

PAM = """\
auth required pam_unix.so
account required pam_unix.so
"""

BIND = """\
set -e
mount --make-rprivate /
for name in passwd group shadow pam.d/vsftpd; do mount --bind "$1/etc/${name##*/}" "/etc/$name"; done
exec /usr/sbin/vsftpd "$1/vsftpd.conf"
"""


class Vsftpd(server.Server):
    def surprises(self):
        return []

    def close(self):
        for pid in processes.tree(self.pid)[1:]:  # its launcher does not take the sessions along
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.launched.stop()


@contextlib.contextmanager
def vsftpd(home=None, logging=False):
    """A running vsftpd with the user "demo"."""
    if os.geteuid() != 0 or not shutil.which("vsftpd"):
        raise Skip("vsftpd and root")
    with place.temporary_folder() as folder:
        user = place.User("demo", server.PASSWORD, home or folder / "home")
        passive, port = (20000, 29999), server.free_port()  # it tries another where one is taken
        write_accounts(
            folder / "etc", user, server.password_hash(server.PASSWORD, server.SHA512_1000)
        )
        (folder / "vsftpd.conf").write_text(
            CONFIGURATION.format(
                port=port,
                home=user.home,
                first=passive[0],
                last=passive[1],
                logging="YES" if logging else "NO",
                folder=folder,
            )
        )
        launched = launch.Launched(["unshare", "--mount", "sh", "-c", BIND, "sh", folder])
        running = Vsftpd(launched, [user], port, passive, place.has_ipv6())
        try:
            wait_until(lambda: is_listening(port), f"vsftpd: {launched.tail()}")
            yield running
        finally:
            running.close()


def write_accounts(folder, user, hash_):
    """Copies of the system's account files with one more account."""
    folder.mkdir()
    extra = {
        "passwd": f"{user.name}:x:{user.uid}:{user.uid}::{user.home}:/bin/sh\n",
        "group": f"{user.name}:x:{user.uid}:\n",
        "shadow": f"{user.name}:{hash_}:20000:0:99999:7:::\n",
    }
    for name, row in extra.items():
        (folder / name).write_text(place.pathlib.Path(f"/etc/{name}").read_text() + row)
    (folder / "vsftpd").write_text(PAM)
    (folder / "shadow").chmod(0o600)


def is_listening(port):
    wanted = f":{port:04X}"
    for name in ("tcp", "tcp6"):
        for row in place.pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[1].endswith(wanted) and fields[3] == "0A":
                return True
    return False
