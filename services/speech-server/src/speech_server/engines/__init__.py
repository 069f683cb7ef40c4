"""Who recognises and who speaks? A package an engine, the registry that builds them, and what they share."""
