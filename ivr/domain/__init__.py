"""What the organisation and its callers are: frozen values, no input or output."""
