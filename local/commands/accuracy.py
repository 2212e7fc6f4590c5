"""How right a map is: a sample for a person to interpret, and what it says."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from local.commands.common import CONSOLE, Embedded, app, opened, say
from shared.errors import UserInputError

accuracy = typer.Typer(
    no_args_is_help=True, help="A reference sample to interpret; unbiased areas with intervals from it."
)
app.add_typer(accuracy, name="accuracy")


class Kind(StrEnum):
    """What a sample is stratified by."""

    CLASSES = "classes"
    CHANGE = "change"


@accuracy.command()
def sample(
    aoi: Annotated[str, typer.Option(help="AOI id.")],
    year: Annotated[int, typer.Option(help="Calendar year of the composite.")],
    out: Annotated[Path, typer.Option(help="Folder for the sample's files.")],
    points: Annotated[int | None, typer.Option(help="How many points; default: as --target-se takes.", min=1)] = None,
    target_se: Annotated[
        float, typer.Option(help="Standard error wanted of the overall accuracy, or of the changed share.", min=0.001)
    ] = 0.02,
    strata: Annotated[Kind, typer.Option(help="Strata: classes of the year, or change since an earlier one.")] = (
        Kind.CLASSES
    ),
    from_year: Annotated[
        int | None, typer.Option(help="For change: the earlier year; default: the year before.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same points of the same map.", min=0)] = 1,
    warehouse: Embedded = None,
) -> None:
    """Draw stratified random points from an area's annual composite, as files that show no map class."""
    earlier = (from_year or year - 1) if strata is Kind.CHANGE else None
    if from_year is not None and (earlier is None or from_year >= year):
        raise UserInputError(f"--from-year {from_year}: expected an earlier year than {year}, with --strata change")
    if (out / "sample.json").exists():
        raise UserInputError(f"{out}: holds a sample already; expected another folder")
    with opened(warehouse) as at:
        from local.accuracy.drawing import Asked, draw, explained  # noqa: PLC0415 — slow
        from local.accuracy.files import write_sample  # noqa: PLC0415
        from local.accuracy.maps import year_map  # noqa: PLC0415
        from local.accuracy.recording import known_accuracies, registered  # noqa: PLC0415

        area = registered(at.warehouse, aoi)
        say(f"Reading the composite of {year}")
        now = year_map(area, year, at.warehouse.settings)
        before = None if earlier is None else year_map(area, earlier, at.warehouse.settings, like=now)
        known = known_accuracies(at.warehouse, area)
        design = draw(area, now, before, Asked(points, target_se, seed, known))
    write_sample(design, out)
    say(f"{design.sample_id}: {len(design.points)} points of AOI {aoi} version {design.aoi_version}, {design.period}")
    for line in explained(design):
        say(f"  {line}")
    say(f"Interpret {out / 'points.csv'} (or KML, GeoJSON, Collect Earth Online file), and keep sample.json")


@accuracy.command()
def estimate(
    sample: Annotated[Path, typer.Option(help="points.csv, interpreted.")],
    design: Annotated[Path | None, typer.Option(help="sample.json; default: beside the points.")] = None,
    warehouse: Embedded = None,
    record: Annotated[bool, typer.Option(help="Keep points and areas in the warehouse.")] = True,
) -> None:
    """Unbiased areas with 95 % intervals, error matrix and accuracies from an interpreted sample."""
    from local.accuracy.areas import estimate as estimated  # noqa: PLC0415 — slow
    from local.accuracy.design import read_design  # noqa: PLC0415
    from local.accuracy.interpreted import read_interpreted  # noqa: PLC0415
    from local.accuracy.recording import check_current, keep  # noqa: PLC0415
    from local.accuracy.words import tables  # noqa: PLC0415

    drawn = read_design(design or sample.with_name("sample.json"))
    references = read_interpreted(sample, drawn)
    result = estimated(drawn, references)
    with opened(warehouse) as at:
        check_current(at.warehouse, drawn)
        if record:
            keep(at.warehouse, drawn, references, result)
            at.settle()
    for table in tables(drawn, result):
        CONSOLE.print(table)
    if result.overall is not None:
        say(
            f"Overall accuracy {result.overall.value:.1%} ± {result.overall.half_width:.1%} of the ground that was seen"
        )
    if record:
        say("Kept in reference_points and area_estimates; report_areas shows them")
