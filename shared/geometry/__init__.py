"""Shapes on the Earth: grids, cells, cuts, and what happens at ±180°. Knows of no area of interest."""
