"""Located YAML: every value knows where it stands, and every mistake is shown where it was made."""
