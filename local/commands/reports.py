"""Reports: one area, all areas, a few side by side."""

from pathlib import Path
from typing import Annotated

import typer

from local.commands.common import Embedded, app, opened, say
from local.report.choices import Language, ReportForm, form_of
from shared.errors import UserInputError


@app.command()
def report(
    aoi: Annotated[str, typer.Option(help="AOI id.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    year: Annotated[int | None, typer.Option(help="Calendar year; without it, one page of all years.")] = None,
    warehouse: Embedded = None,
    form: Annotated[
        ReportForm | None, typer.Option("--format", help="What to write; the ending of --out says it, too.")
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
) -> None:
    """The report of one area and year, or of all its years, from an embedded warehouse or a BigQuery dataset."""
    form = form_of(out, form)
    if year is None and form is not ReportForm.HTML:
        raise UserInputError(f"all years are one HTML page; for {form} give --year")
    out.parent.mkdir(parents=True, exist_ok=True)
    with opened(warehouse) as found:
        from local.report.making import render_history, render_report  # noqa: PLC0415 — what opens nothing need not wait

        if year is None:
            render_history(found.warehouse, aoi, out, language)
        else:
            render_report(found.warehouse, aoi, year, out, language, form)
    say(f"Open {out}")


@app.command()
def index(
    year: Annotated[int, typer.Option(help="Calendar year.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    warehouse: Embedded = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
) -> None:
    """One page with a row for every area: sorts, filters, shows each year as a small chart."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with opened(warehouse) as found:
        from local.report.overview import read_years, write_index  # noqa: PLC0415

        write_index(read_years(found.warehouse, [year], []), out, language)
    say(f"Open {out}")


@app.command()
def compare(
    aoi: Annotated[list[str], typer.Option(help="AOI id; give it several times to compare areas.")],
    year: Annotated[list[int], typer.Option(help="Calendar year; give it several times to compare years.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    warehouse: Embedded = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
) -> None:
    """Up to six areas or years side by side."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with opened(warehouse) as found:
        from local.report.overview import read_years, write_comparison  # noqa: PLC0415

        write_comparison(read_years(found.warehouse, year, aoi), out, language)
    say(f"Open {out}")
