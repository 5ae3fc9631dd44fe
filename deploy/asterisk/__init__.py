"""Asterisk: getting one, configuring it, running a private one beside any other."""
