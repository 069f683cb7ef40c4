"""voice_workflow.v1, whatever wire carries it."""
