"""Odoo, by its JSON-2 API, or JSON-RPC before Odoo 19."""
