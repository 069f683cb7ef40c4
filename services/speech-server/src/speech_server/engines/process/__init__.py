"""How does an engine run in processes of its own? One fork server, a child for each stream."""
