"""What does the gateway cost, how fast is it, and does it keep its promises? Each measurement is a command."""
