"""What the local servers share: a loopback server, and faults on purpose."""
