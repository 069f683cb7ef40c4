"""The realtime edge: calls of clients that speak OpenAI's Realtime protocol over a WebSocket."""
