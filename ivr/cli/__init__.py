"""The `ivr` command, one file a command."""
