"""Reports: figures that people steer on, each counted from the journal."""
