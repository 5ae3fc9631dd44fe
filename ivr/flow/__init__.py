"""Flows: what an admin wrote, checked, and run over a call."""
