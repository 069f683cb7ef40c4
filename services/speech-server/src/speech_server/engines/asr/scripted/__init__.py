"""Engines without models: deterministic texts and tones with settable delays and faults, for tests and load."""
