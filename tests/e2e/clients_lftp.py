#!/usr/bin/python3 -B
"""The matrix of clients: lftp (see harness/matrix.py for what each is asked)."""

from harness import matrix
from harness.clients import Lftp

suite = matrix.plain(Lftp)

if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
