"""What every end-to-end program shares: see README.md in tests/e2e."""
