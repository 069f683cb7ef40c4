"""Who speaks? One package for each engine."""
