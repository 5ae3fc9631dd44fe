"""Callers from a directory file: comma-separated values, read again when the file changes."""
