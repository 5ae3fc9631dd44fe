"""What happens to one call, from its first ring to its last line in the journal."""
