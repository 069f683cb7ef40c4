"""Pure decisions: no asyncio, no clock, no sockets. Frames, requests and numbers in, facts out."""
