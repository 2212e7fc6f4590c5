"""Areas of interest: their geometry and its limits, registering and deleting them, who owns which."""
