"""The report of one AOI and year: one HTML file that needs nothing else."""
