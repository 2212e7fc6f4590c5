"""Change that is not just season: patches of pixels that left their usual class, and what is told of them."""
