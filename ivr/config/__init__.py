"""`config.yaml`: every limit, address and name, checked before anything starts."""
