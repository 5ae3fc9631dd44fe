"""Integrations: one folder a connected system, each with a manifest that says what it can do."""
