"""Earth Engine through its official client: connecting, listing images, measuring areas."""
