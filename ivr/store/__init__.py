"""The database: SQLite or PostgreSQL through SQLAlchemy, one store for each kind of thing that is kept."""
