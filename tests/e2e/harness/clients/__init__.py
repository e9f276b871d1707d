"""Real clients behind one interface: store and fetch files and trees, resume, rename, delete.

Each client is driven the way its manual says, never helped over a name: what one of them cannot do
stands in its `lacks`, and the names that it gets wrong with any server in its `unsayable`.
"""

from .base import (
    CHORES,
    EXPLICIT,
    IMPLICIT,
    MIRROR,
    RESUME_GET,
    RESUME_PUT,
    STORE,
    TIMES_DOWN,
    TIMES_UP,
)
from .classic import Ncftp, Tnftp, Wget
from .curl import Curl
from .fetchers import Aria2, Rclone
from .lftp import Lftp
from .python import Aioftp, Ftplib, FtplibFresh
from .scripted import BasicFtp, NetFtp

ALL = (Curl, Lftp, Tnftp, Ncftp, Wget, Aria2, Rclone, Ftplib, Aioftp, NetFtp, BasicFtp)
