"""What a reader may choose: the language and the form of a report."""

from enum import StrEnum


class Language(StrEnum):
    """Languages of reports."""

    EN = "en"
    ZH = "zh"


class ReportForm(StrEnum):
    """What ``landcover report`` writes."""

    HTML = "html"
    PNG = "png"
    CSV = "csv"
    JSON = "json"
