"""Three synthetic years of Dynamic World scenes over an area in north-east China.

Seeded and made here; no pixel of it was observed. The years 2020 and 2021 have the same season; in 2022 some forest is
cleared and a pond dug. The classifier errs as the real one does, so that maps of unchanged ground differ from year to
year. The year 2021 is calibrated: its mode composites have the class shares of a published student analysis of such a
place.
"""
