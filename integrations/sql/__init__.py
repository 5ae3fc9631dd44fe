"""Callers from any SQL database that SQLAlchemy reaches, by a query in config.yaml."""
