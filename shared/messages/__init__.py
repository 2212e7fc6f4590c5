"""Pub/Sub: the body on each topic, subscriptions and schedules, publishing, and receiving what is pushed."""
