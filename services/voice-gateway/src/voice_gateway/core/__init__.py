"""What the gateway decides, as pure functions. No clock, loop, network, log: time is an argument."""
