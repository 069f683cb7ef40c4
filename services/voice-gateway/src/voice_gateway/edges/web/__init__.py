"""The web edge: what browsers and WebSocket clients reach over HTTP."""
