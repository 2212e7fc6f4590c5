"""What is measured, of which images, in which requests, and the areas and rows that come of it."""
