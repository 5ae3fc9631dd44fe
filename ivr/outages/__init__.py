"""Outages: what every node knows of them."""
