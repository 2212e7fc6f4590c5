"""What a reader may choose: the language and the form of a report."""

from enum import StrEnum
from pathlib import Path

from shared.errors import UserInputError


class Language(StrEnum):
    """Languages of reports."""

    EN = "en"
    ZH = "zh"


class ReportForm(StrEnum):
    """What ``landcover report`` writes; each is the ending of its files as well."""

    HTML = "html"
    PNG = "png"
    CSV = "csv"
    JSON = "json"
    GPKG = "gpkg"
    XLSX = "xlsx"


def form_of(path: Path, asked: ReportForm | None) -> ReportForm:
    """What a file is to hold: what its ending says, or what was asked for where the ending says nothing.

    Raises UserInputError where the two disagree, or neither says anything.
    """
    ending = path.suffix.removeprefix(".").lower()
    ending = "html" if ending == "htm" else ending
    known = [form.value for form in ReportForm]
    if ending not in known:
        if asked is None:
            raise UserInputError(f"{path}: expected a name that ends in {', '.join(known)}, or --format")
        if ending:
            raise UserInputError(f"{path}: a report in {asked} would have another ending; expected .{asked}")
        return asked
    if asked is not None and asked != ending:
        raise UserInputError(f"{path}: the ending says {ending}, --format says {asked}")
    return ReportForm(ending)
