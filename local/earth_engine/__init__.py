"""A local Earth Engine: the REST surface and algorithms the product uses, on a folder of GeoTIFFs.

``server`` speaks HTTP, ``graph`` decodes and evaluates expressions, ``registry`` holds the real signatures,
``algorithms`` the implementations, ``values`` what they pass around, ``raster`` and ``zonal`` the pixels.
"""
