"""Small clients of a speech server, as commands: programs of their own that know nothing but the wire."""
