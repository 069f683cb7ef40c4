"""Which conversations must go well? Scenarios of whole calls on virtual time, and what is judged of them."""
