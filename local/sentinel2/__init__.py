"""Sentinel-2 L1C scenes as files: reading them, masking cloud, classifying, writing."""
