"""Connected systems: what an integration implements, how one is found, and the guard round it."""
