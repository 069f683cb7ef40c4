"""The program: reads settings, wires the parts, serves, drains. The only place that knows everything."""

from voice_gateway.app.main import main

__all__ = ["main"]
