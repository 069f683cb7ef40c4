"""The gRPC edge: voice_workflow.v1."""
