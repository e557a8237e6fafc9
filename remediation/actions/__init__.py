"""What we can do to a cloud: one class, one file, one contract."""
