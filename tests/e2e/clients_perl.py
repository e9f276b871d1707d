#!/usr/bin/python3 -B
"""The matrix of clients: Perl's Net::FTP (see harness/matrix.py for what each is asked)."""

from harness import matrix
from harness.clients import NetFtp

suite = matrix.plain(NetFtp)

if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
