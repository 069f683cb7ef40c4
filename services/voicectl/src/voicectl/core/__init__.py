"""What is to be done, decided from what was seen: no network, no clock, no output."""
