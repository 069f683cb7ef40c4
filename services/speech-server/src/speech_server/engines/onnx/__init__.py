"""How does a model run in this process, for all callers? Sessions, devices, one thread with a limit."""
