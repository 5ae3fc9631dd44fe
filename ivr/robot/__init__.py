"""The robot caller: a telephone that dials, presses, listens and reports, and that answers when it is called."""
