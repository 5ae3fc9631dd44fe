"""Callbacks: which windows can be promised, and the promise itself."""
