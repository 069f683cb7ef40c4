"""How callers and operators reach the gateway. Each edge translates its wire to and from `core.events`."""
