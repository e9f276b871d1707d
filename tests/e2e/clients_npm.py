#!/usr/bin/python3 -B
"""The matrix of clients: npm's basic-ftp (see harness/matrix.py for what each is asked)."""

from harness import matrix
from harness.clients import BasicFtp

suite = matrix.plain(BasicFtp)

if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
