"""voice_workflow.v1 over WebSocket: WS /v1/converse and GET /v1/server-info."""
