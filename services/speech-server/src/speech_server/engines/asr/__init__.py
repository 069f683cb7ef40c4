"""Who recognises? A package an engine, and what every model of whole clips shares."""
