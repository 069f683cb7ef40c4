"""An OpenAI-compatible chat server without weights."""
