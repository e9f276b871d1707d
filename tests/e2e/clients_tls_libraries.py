#!/usr/bin/python3 -B
"""The matrix of clients over TLS, as in clients_tls: the libraries."""

from harness import matrix
from harness.clients import BasicFtp, Ftplib, FtplibFresh, NetFtp

suite = matrix.secured(Ftplib, FtplibFresh, NetFtp, BasicFtp)

if __name__ == "__main__":
    suite.main(matrix.serving_secured, matrix.AT_A_TIME)
