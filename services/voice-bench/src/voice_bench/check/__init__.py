"""Is a running system fit for its callers? Checks of a Riva and of a gateway with what stands behind it."""
