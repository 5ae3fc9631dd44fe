"""Asterisk: calls reach us by FastAGI (`agi_*`), events and dialling go by AMI (`ami_*`)."""
