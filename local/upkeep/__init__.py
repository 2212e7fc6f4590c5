"""Looking after a deployment: what is missing, what failed, what is to be forgotten, what more would cost."""
