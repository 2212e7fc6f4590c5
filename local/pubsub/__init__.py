"""Pub/Sub on this machine: an in-process bus with a journal, or Google's own emulator."""
