#!/usr/bin/python3 -B
"""The matrix of clients: tnftp, ncftp and wget (see harness/matrix.py for what each is asked)."""

from harness import matrix
from harness.clients import Ncftp, Tnftp, Wget

suite = matrix.plain(Tnftp, Ncftp, Wget)

if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
