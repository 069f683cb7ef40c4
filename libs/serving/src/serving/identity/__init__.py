"""Who calls, and how much may each caller have? One implementation for every server."""
