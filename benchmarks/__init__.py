"""Measurements. They print counts and ratios; no test depends on a clock."""
