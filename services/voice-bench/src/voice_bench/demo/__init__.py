"""The demo: a caller that behaves like a person holds a whole conversation, and shows what happened."""
