"""A synthetic year of Dynamic World scenes over an area in north-east China.

Seeded and made here; no pixel of it was observed. The year 2021 is calibrated so that its mode composites have the
class shares of a published student analysis of such a place.
"""
