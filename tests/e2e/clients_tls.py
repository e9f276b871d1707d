#!/usr/bin/python3 -B
"""The matrix of clients over TLS, explicit and implicit, in passive mode and in active (see
harness/matrix.py): the server takes nothing in the clear, and data connections that resume the session
of their control connection alone, except from the clients that cannot do that. Here the programs."""

from harness import matrix
from harness.clients import Curl, Lftp, Rclone, Wget

suite = matrix.secured(Curl, Lftp, Wget, Rclone)

if __name__ == "__main__":
    suite.main(matrix.serving_secured, matrix.AT_A_TIME)
