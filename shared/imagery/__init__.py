"""What Dynamic World and Sentinel-2 publish: how images are named, which belong together, what they cover."""
