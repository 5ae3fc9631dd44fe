"""What puts Klantlijn on a machine: Asterisk, its configuration, and the steps behind the Makefile."""
