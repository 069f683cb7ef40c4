"""The whole stack on one machine: the demo and the measurements."""
