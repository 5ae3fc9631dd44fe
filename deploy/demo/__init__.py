"""The demo: a fictional internet provider, its customers and its calls."""
