"""The orchestrator: turn-taking, replies and the calls that carry them."""
