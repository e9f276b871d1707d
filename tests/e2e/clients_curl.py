#!/usr/bin/python3 -B
"""The matrix of clients: curl (see harness/matrix.py for what each is asked)."""

from harness import matrix
from harness.clients import Curl

suite = matrix.plain(Curl)

if __name__ == "__main__":
    suite.main(matrix.serving, matrix.AT_A_TIME)
