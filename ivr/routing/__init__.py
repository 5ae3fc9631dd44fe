"""Routing: which site takes a call."""
