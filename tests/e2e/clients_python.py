#!/usr/bin/python3 -B
"""The matrix of clients: Python's ftplib and aioftp (see harness/matrix.py for what each is asked)."""

from harness import matrix
from harness.clients import Ftplib, Aioftp

suite = matrix.plain(Ftplib, Aioftp)

if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
