"""Real customer systems that nobody here wrote, on this machine alone, for tests and measurements."""
