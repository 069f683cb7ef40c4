"""The Riva services: requests in, engines asked, answers out. Everything a client sees of this server."""
