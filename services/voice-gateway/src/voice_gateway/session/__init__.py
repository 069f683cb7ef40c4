"""One call: its inbox, its turn machine, its hearing, its speaking, and what goes out to the caller."""
