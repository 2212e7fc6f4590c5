"""What work costs, before it is done: prices, estimates, exact plans of the work, and ceilings on it."""
