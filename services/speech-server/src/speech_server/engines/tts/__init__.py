"""Who speaks? A package an engine."""
