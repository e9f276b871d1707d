"""Other FTP servers beside ours: for the benchmark, and to try the tests' own clients.

With a pair of certificate and key (tls.py) they offer TLS.  Each runs in a mount namespace of its own, where copies of passwd, group, shadow and one PAM service
are bound over the system's: its account exists nowhere else, and nothing is left to clean up.  All
check the same password hash, serve the same kind of home and keep no log of transfers unless asked.
"""

import contextlib
import os
import shutil
import signal

from . import launch, place, processes, server
from .tap import Skip, wait_until

PASSIVE = (20000, 29999)  # they try another where one is taken

VSFTPD = """\
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

PROFTPD = """\
ServerType standalone
DefaultServer on
DefaultAddress 127.0.0.1
Port {port}
PassivePorts {first} {last}
User nobody
Group nogroup
MaxInstances none
TimeoutIdle 3600
DefaultRoot ~
Umask 022
AllowOverwrite on
ListOptions "-a"
AuthOrder mod_auth_unix.c
DelayEngine off
UseReverseDNS off
WtmpLog off
SystemLog none
TransferLog none
PidFile {folder}/proftpd.pid
ScoreboardFile {folder}/proftpd.scoreboard
ControlsEngine off
<Directory />
  HideFiles none
</Directory>
"""

PROFTPD_TLS = """\
ModulePath {modules}
LoadModule mod_tls.c
TLSEngine on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile {certificate}
TLSECCertificateKeyFile {secret}
TLSSessionTickets on
TLSOptions NoSessionReuseRequired
"""

VSFTPD_TLS = """\
ssl_enable=YES
rsa_cert_file={certificate}
rsa_private_key_file={secret}
force_local_logins_ssl=NO
force_local_data_ssl=NO
"""

PURE_FTPD_TLS = """\
--tls 1 --certfile {certificate},{secret}
"""

PURE_FTPD = """\
--ipv4only --bind 127.0.0.1,{port} --passiveportrange {first}:{last} --login unix --noanonymous
--chrooteveryone --dontresolve --umask 022:022 --minuid 1000 --maxclientsnumber 5000
--maxclientsperip 5000 --maxidletime 60 --limitrecursion 1000000:10 --syslogfacility none
--displaydotfiles --pidfile {folder}/pure-ftpd.pid
"""

PAM = """\
auth required pam_unix.so
account required pam_unix.so
"""

BIND = """\
set -e
folder=$1
shift
mount --make-rprivate /
for name in passwd group shadow pam.d/vsftpd; do
  [ ! -e "/etc/$name" ] || mount --bind "$folder/etc/${name##*/}" "/etc/$name"
done
exec "$@"
"""


class Peer(server.Server):
    def surprises(self):
        return []

    def close(self):
        for pid in processes.tree(self.pid)[1:]:  # its launcher does not take the sessions along
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.launched.stop()


def program(name):
    """Where it is installed, or where tests/bench/peers has unpacked it."""
    places = [os.environ["PATH"], "/usr/sbin", str(place.BUILD / "peers" / "usr" / "sbin")]
    found = shutil.which(name, path=os.pathsep.join(places))
    if os.geteuid() != 0 or not found:
        raise Skip(f"{name} and root")
    return found


@contextlib.contextmanager
def running(home, command, configuration, ipv6=False, **words):
    """command: its words; a last one that ends in .conf names the file for the configuration."""
    with place.temporary_folder() as folder:
        user = place.User("demo", server.PASSWORD, home or folder / "home")
        port = server.free_port()
        write_accounts(
            folder / "etc", user, server.password_hash(server.PASSWORD, server.SHA512_1000)
        )
        told = configuration.format(
            port=port, home=user.home, first=PASSIVE[0], last=PASSIVE[1], folder=folder, **words
        )
        if command[-1].endswith(".conf"):
            path = folder / command[-1]
            path.write_text(told)
            command = [*command[:-1], path]
        else:
            command = [*command, *told.split()]
        launched = launch.Launched(
            ["unshare", "--mount", "sh", "-c", BIND, "sh", folder, *command], cwd=folder
        )
        peer = Peer(launched, [user], port, PASSIVE, ipv6 and place.has_ipv6())
        try:
            wait_until(lambda: is_listening(port), f"{command[0]}: {launched.tail()}")
            yield peer
        finally:
            peer.close()


def secured(configuration, pair, **words):
    """What a configuration says besides when there are a certificate and a key."""
    return configuration.format(certificate=pair[0], secret=pair[1], **words) if pair else ""


def vsftpd(home=None, logging=False, pair=None):
    """A running vsftpd with the user "demo"."""
    command = [program("vsftpd"), "vsftpd.conf"]
    configuration = VSFTPD + secured(VSFTPD_TLS, pair)
    return running(home, command, configuration, ipv6=True, logging="YES" if logging else "NO")


def pure_ftpd(home=None, pair=None):
    return running(home, [program("pure-ftpd")], PURE_FTPD + secured(PURE_FTPD_TLS, pair))


def proftpd(home=None, pair=None):
    found = program("proftpd")
    modules = place.pathlib.Path(found).parents[1] / "lib" / "proftpd"
    command = [found, "--nodaemon", "--config", "proftpd.conf"]
    return running(home, command, PROFTPD + secured(PROFTPD_TLS, pair, modules=modules))


STARTS = {"vsftpd": vsftpd, "pure-ftpd": pure_ftpd, "ProFTPD": proftpd}


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
