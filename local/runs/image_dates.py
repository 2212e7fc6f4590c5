"""The day a raster was acquired, from its name, a date that a person gave, or a CSV file."""

import csv
import re
from datetime import date
from pathlib import Path, PurePath

from shared.errors import UserInputError

_DAY = re.compile(r"(?<!\d)(20\d\d)[-_. /]?(0[1-9]|1[0-2])[-_. /]?(0[1-9]|[12]\d|3[01])(?!\d)")
_MONTH = re.compile(r"(?<!\d)(20\d\d)[-_. /]?(0[1-9]|1[0-2])(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAME = (
    r"(?<![a-z])(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_YEAR_MONTH_NAME = re.compile(rf"(?<!\d)(20\d\d)[-_. /]*{_MONTH_NAME}")
_MONTH_NAME_YEAR = re.compile(rf"{_MONTH_NAME}[-_. /]*(20\d\d)(?!\d)")
_MIDDLE_OF_MONTH = 15


def date_in(name: str) -> tuple[date, bool] | None:
    """The day that a file's path names, and whether it names the day or only the month (then its 15th); None where it
    names neither. A year alone is no date: a view in a year's middle would be made up.
    """
    text = str(PurePath(name)).lower()
    for match in reversed(list(_DAY.finditer(text))):
        try:
            return date(int(match[1]), int(match[2]), int(match[3])), True
        except ValueError:
            continue
    if match := _YEAR_MONTH_NAME.search(text):
        return date(int(match[1]), _MONTHS.index(match[2][:3]) + 1, _MIDDLE_OF_MONTH), False
    if match := _MONTH_NAME_YEAR.search(text):
        return date(int(match[2]), _MONTHS.index(match[1][:3]) + 1, _MIDDLE_OF_MONTH), False
    if match := _MONTH.search(text):
        return date(int(match[1]), int(match[2]), _MIDDLE_OF_MONTH), False
    return None


def read_dates(path: Path) -> dict[str, date]:
    """A CSV file of file name and date (2021-07-03), header or none. Raises UserInputError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserInputError(f"{path}: no dates can be read ({type(error).__name__})") from None
    dates: dict[str, date] = {}
    for number, row in enumerate(rows, 1):
        try:
            dates[row[0].strip()] = date.fromisoformat(row[1].strip())
        except (IndexError, ValueError):
            if number > 1:
                raise UserInputError(
                    f"{path}: row {number}: expected a file name and a date like july.tif,2021-07-03"
                ) from None
    if not dates:
        raise UserInputError(f"{path}: expected rows of file name and date like july.tif,2021-07-03, found none")
    return dates
