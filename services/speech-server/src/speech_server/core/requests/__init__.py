"""What is known of a request, whatever it asks for?"""
