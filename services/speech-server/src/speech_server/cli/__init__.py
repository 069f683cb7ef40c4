"""What can `speech-server` do besides serving? A module a verb."""
