"""What is decided about recognition, without a clock, a task or a socket?"""
