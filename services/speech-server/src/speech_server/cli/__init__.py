"""What can `speech-server` do besides serving? One module for each verb."""
