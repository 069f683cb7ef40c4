"""Who recognises and who speaks? One package for each engine, the registry that builds them, and what they share."""
