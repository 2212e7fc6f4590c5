"""The published Dynamic World network: from Sentinel-2 L1C pixels to nine class probabilities.

Needs numpy and ONNX Runtime; only ``fetching`` speaks to Earth Engine. ``dynamic_world.onnx``
is made by ``local.network.convert``; where it comes from and what it can do: docs/network.md.
"""
