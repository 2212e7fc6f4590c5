"""What a person can choose when a scene is classified; nothing here loads anything."""

from enum import StrEnum


class Form(StrEnum):
    """How numbers are stored."""

    FLOAT = "float"
    BYTE = "byte"


class Mask(StrEnum):
    """What hides pixels: cloud and shadow as the bands tell, or nothing."""

    BANDS = "bands"
    NONE = "none"
