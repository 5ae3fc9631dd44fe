"""The web server: figures, health and prompts for machines; pages for people come beside them."""
