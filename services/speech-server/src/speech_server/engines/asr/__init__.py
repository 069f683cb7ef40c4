"""Who recognises? One package for each engine, and what every model of whole clips shares."""
