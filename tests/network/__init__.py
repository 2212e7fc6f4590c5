"""The published network, its files and its commands."""
