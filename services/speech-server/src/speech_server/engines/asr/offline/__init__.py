"""Every model that hears whole clips: their queue, streams made of them, recordings cut for them."""
