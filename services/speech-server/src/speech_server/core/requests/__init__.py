"""What is known of a request, whatever it asks for: numbers for the log, its secret, what is told of an error."""
