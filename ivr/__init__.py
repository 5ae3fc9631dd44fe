"""Klantlijn: a telephone IVR engine that runs beside Asterisk."""
