"""Tryton, by its JSON-RPC."""
