"""Stand-ins for the outside world: scripted, repeatable, and part of the product."""
