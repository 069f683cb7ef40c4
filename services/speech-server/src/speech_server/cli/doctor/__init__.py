"""What has this machine that the chosen engines need, and what should be done about the rest?"""
