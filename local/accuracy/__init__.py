"""How right a map is: reference samples of composites, and unbiased areas from what a person saw."""
