"""What does this machine have of what the chosen engines need, and what should be done about the rest?"""
