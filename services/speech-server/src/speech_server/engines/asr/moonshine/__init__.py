"""Moonshine: an encoder and a decoder that hears whole clips; small enough for a laptop, English only."""
