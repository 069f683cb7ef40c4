"""OpenAI's audio endpoints: requests over HTTP in, engines asked, answers in OpenAI's shapes."""
