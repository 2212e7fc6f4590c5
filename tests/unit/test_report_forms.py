"""The ending of a file decides what is in it."""

from pathlib import Path

import pytest

from local.report.choices import ReportForm, form_of
from shared.errors import UserInputError


@pytest.mark.parametrize(
    ("name", "asked", "form"),
    [
        ("a.html", None, "html"),
        ("a.htm", None, "html"),
        ("a.XLSX", None, "xlsx"),
        ("a.gpkg", ReportForm.GPKG, "gpkg"),
        ("a", ReportForm.PNG, "png"),
    ],
)
def test_an_ending_or_the_option_says_the_form(name: str, asked: ReportForm | None, form: str) -> None:
    assert form_of(Path(name), asked) == form


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("a.pdf", None, "a.pdf: expected a name that ends in html, png, csv, json, gpkg, xlsx, or --format"),
        ("a", None, "a: expected a name that ends in"),
        ("a.csv", ReportForm.PNG, "a.csv: the ending says csv, --format says png"),
        ("a.pdf", ReportForm.PNG, "a.pdf: a report in png would have another ending; expected .png"),
    ],
)
def test_nothing_is_written_under_a_name_that_says_something_else(
    name: str, asked: ReportForm | None, words: str
) -> None:
    with pytest.raises(UserInputError, match=words.replace(".", r"\.")):
        form_of(Path(name), asked)
