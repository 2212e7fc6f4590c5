"""Shares of months and years against numbers worked out by hand, from observations and composites put there."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from shapely import box
from shapely.geometry import mapping

from local.bigquery.embedded import run_scheduled
from local.stack import Stack
from shared.aois.aoi import Aoi
from shared.imagery.images import SceneImage
from shared.measurement.areas import Areas, Settled
from shared.measurement.rows import Source, composite_row, observation_row, provenance
from shared.warehouse.touches import touch
from tests.stacks import feature, register, rows, start_stack

SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))
RUN_TIME = datetime(2021, 5, 15, tzinfo=UTC)
WATER, TREES, GRASS = 0, 1, 2
Shares = dict[int, float]
SUMMARIES = {"monthly_summary": "month, class_id", "annual_summary": "year, class_id"}


def seen_in_2019(month: int) -> Shares:
    """Water comes and goes; grass is never there in January."""
    grass = 0.0 if month == 1 else 0.1
    return {WATER: 0.2 + 0.01 * month, GRASS: grass, TREES: 0.8 - 0.01 * month - grass}


def seen_in_2020(month: int) -> Shares:
    """The same months with 0.05 more water and no grass; January and February were not seen."""
    before = seen_in_2019(month)
    return {WATER: before[WATER] + 0.05, GRASS: 0.0, TREES: 0.95 - before[WATER]}


class Ground:
    """One area, of which rows are written as measure, classify and composite write them."""

    def __init__(self, stack: Stack, area_m2: float) -> None:
        self.stack, self.aoi = stack, Aoi("a", 1, area_m2, SQUARE)
        self._rows: dict[str, list[dict[str, Any]]] = {"observations": [], "composites": []}

    def areas(self, shares: Shares, of: float) -> dict[int, float]:
        return {c: shares.get(c, 0.0) * of * self.aoi.area_m2 for c in range(9)}

    def view(self, day: date, coverage: float, shares: Shares, source: Source = Source.DYNAMIC_WORLD) -> None:
        stamp = f"{day:%Y%m%d}T023111"
        image = SceneImage(
            image_id=f"{stamp}_{stamp}_T51TYL", version_us=1, footprint=SQUARE, crs="EPSG:32651", bands=("label",)
        )
        measured = Areas(self.aoi.area_m2, coverage * self.aoi.area_m2, self.areas(shares, coverage), None)
        made_of = provenance([image], datetime(2021, 5, 1, tzinfo=UTC))
        self._rows["observations"].append(observation_row(self.aoi, stamp, measured, made_of, source))

    def composite(
        self, start: date, coverage: float, filled: float, settled: Shares, mean: Shares | None, hour: int = 0
    ) -> None:
        period, of = "month" if mean is not None else "year", coverage + filled
        done = Settled(
            self.areas(settled, of),
            filled * self.aoi.area_m2,
            None if mean is None else self.areas(mean, of),
        )
        mode = self.areas({GRASS: 1.0}, coverage)
        measured = Areas(self.aoi.area_m2, coverage * self.aoi.area_m2, mode, None, settled=done)
        made_of = provenance([], datetime(2021, 5, 2, hour, tzinfo=UTC))
        self._rows["composites"].append(composite_row(self.aoi, period, start, measured, made_of, 1))

    def summarise(self) -> None:
        """Summaries of all rows so far."""
        days = [row.get("acquired_date") or row["period_start"] for table in self._rows.values() for row in table]
        touch(self.stack.warehouse, days)
        for table, given in self._rows.items():
            self.stack.warehouse.append(table, given)
            given.clear()
        self.stack.bigquery.settle()
        run_scheduled(self.stack.warehouse, RUN_TIME)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with start_stack(tmp_path_factory.mktemp("shares")) as stack:
        (aoi,) = register(stack, feature("a", SQUARE, backfill_start="2019-01-01"))
        found = Ground(stack, aoi["area_m2"])
        for year, seen in ((2019, seen_in_2019), (2020, seen_in_2020)):
            for month in range(1, 13):
                if (year, month) not in {(2020, 1), (2020, 2)}:
                    found.view(date(year, month, 3), 0.5, {TREES: 1.0})
                    found.composite(date(year, month, 1), 0.5, 0.5, seen(month), seen(month))
        # cloud leans: the half view sees more water
        found.view(date(2021, 1, 3), 1.0, {WATER: 0.2, TREES: 0.8})
        found.view(date(2021, 1, 8), 0.5, {WATER: 0.4, TREES: 0.6})
        found.composite(date(2021, 1, 1), 1.0, 0.0, {WATER: 0.3, TREES: 0.7}, {WATER: 0.25, TREES: 0.75})
        # one view of Dynamic World, so the network's counts
        found.view(date(2021, 2, 3), 0.4, {WATER: 0.1, TREES: 0.9})
        found.view(date(2021, 2, 8), 0.9, {WATER: 0.5, TREES: 0.5}, Source.NETWORK)
        found.composite(date(2021, 2, 1), 0.4, 0.5, {WATER: 0.3, TREES: 0.7}, {WATER: 0.2, TREES: 0.8})
        # no composite yet
        found.view(date(2021, 3, 3), 0.3, {WATER: 0.1, TREES: 0.9})
        found.view(date(2021, 3, 8), 0.6, {WATER: 0.4, TREES: 0.6})
        # two whole views
        for day in (3, 8):
            found.view(date(2021, 4, day), 1.0, {TREES: 1.0})
        found.composite(date(2021, 4, 1), 1.0, 0.0, {TREES: 1.0}, {TREES: 1.0})
        found.composite(date(2020, 1, 1), 0.8, 0.0, {WATER: 0.4, TREES: 0.6}, None)
        found.summarise()
        yield found


def water(ground: Ground, view: str, **period: Any) -> dict[str, Any]:
    ((name, value),) = period.items()
    (found,) = [r for r in rows(ground.stack, view) if r[name] == value and r["class_id"] == WATER]
    return found


def near(row: dict[str, Any], **expected: Any) -> None:
    for name, value in expected.items():
        assert row[name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), name


def test_a_month_is_the_composites_mean_and_what_was_seen_has_its_own_name(ground: Ground) -> None:
    january = water(ground, "report_monthly", month=date(2021, 1, 1))
    near(january, mean_share=0.25, mean_seen_share=0.3, composite_share=0.0, settled_share=0.3, filled_share=0.0)
    near(january, mean_area_ha=0.25 * january["aoi_area_ha"], settled_area_ha=0.3 * january["aoi_area_ha"])
    near(january, mean_seen_area_ha=0.2 * january["aoi_area_ha"], seen_share=1.0)
    near(january, effective_views=1.5**2 / 1.25, quality="fair")
    summary = water(ground, "monthly_summary", month=date(2021, 1, 1))
    near(summary, min_share=0.2, max_share=0.2)


def test_views_of_the_network_count_by_what_they_saw(ground: Ground) -> None:
    february = water(ground, "report_monthly", month=date(2021, 2, 1))
    near(february, mean_share=(0.4 * 0.2 + 0.9 * 0.5) / 1.3, settled_share=0.3, filled_share=0.5)
    near(february, seen_share=0.9, effective_views=1.3**2 / (0.4**2 + 0.9**2), quality="fair", network_count=1)


def test_until_there_is_a_composite_all_that_was_seen_counts(ground: Ground) -> None:
    march = water(ground, "report_monthly", month=date(2021, 3, 1))
    near(march, mean_share=(0.3 * 0.1 + 0.6 * 0.4) / 0.9, settled_share=None, filled_share=None)
    near(march, seen_share=0.6, quality="thin")
    near(water(ground, "monthly_summary", month=date(2021, 3, 1)), min_share=None, max_share=None)
    near(water(ground, "report_monthly", month=date(2021, 4, 1)), effective_views=2.0, quality="good")
    may = water(ground, "report_monthly", month=date(2021, 5, 1))
    near(may, mean_share=None, seen_share=None, effective_views=0.0, quality="none")


def moved_year() -> dict[int, list[float]]:
    """2020 by class and month: what was not seen as in 2019, moved by what the ten months seen in both differ by."""
    seen = {c: [seen_in_2020(month)[c] for month in range(3, 13)] for c in (WATER, TREES, GRASS)}
    for month in (1, 2):
        moved = {}
        for c, shares in seen.items():
            differences = [share - seen_in_2019(n)[c] for n, share in enumerate(shares[-10:], 3)]
            moved[c] = max(0.0, seen_in_2019(month)[c] + sum(differences) / 10)
        for c, shares in seen.items():
            shares.insert(0, moved[c] / sum(moved.values()))
    return seen


def test_a_year_takes_the_months_it_did_not_see_from_the_years_before(ground: Ground) -> None:
    expected = moved_year()
    assert sum(expected[GRASS]) < 1e-12, "grass falls by more than January had"
    found = {r["class_id"]: r for r in rows(ground.stack, "report_annual") if r["year"] == 2020}
    for c, shares in expected.items():
        near(found[c], mean_share=sum(shares) / 12, months_observed=10, months_filled=2)
    assert sum(row["mean_share"] for row in found.values()) == pytest.approx(1)
    near(found[WATER], settled_share=0.4, seen_share=0.8, effective_views=10.0, quality="fair")
    near(found[WATER], mean_area_ha=found[WATER]["mean_share"] * found[WATER]["aoi_area_ha"])
    first = water(ground, "report_annual", year=2019)
    near(first, mean_share=sum(seen_in_2019(month)[WATER] for month in range(1, 13)) / 12, months_filled=0)


def test_what_older_versions_wrote_is_rebuilt_and_a_late_month_reaches_the_years_behind_it(ground: Ground) -> None:
    stack = ground.stack

    def summaries() -> dict[str, list[dict[str, Any]]]:
        found = {name: rows(stack, name, order) for name, order in SUMMARIES.items()}
        return {name: [rounded(row) for row in of_table] for name, of_table in found.items()}

    def rounded(row: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in row.items() if name != "run_time"}
        return {name: round(value, 9) if isinstance(value, float) else value for name, value in kept.items()}

    before = summaries()
    for name, column in (("monthly_summary", "effective_views"), ("annual_summary", "months_filled")):
        table = stack.warehouse.table(name)
        stack.warehouse.run(f"UPDATE `{table}` SET {column} = NULL, mean_share = 0.5 WHERE TRUE", {})
    run_scheduled(stack.warehouse, RUN_TIME)
    assert summaries() == before

    late = {WATER: 0.0, TREES: 1.0}
    ground.composite(date(2019, 1, 1), 0.5, 0.5, late, late, hour=5)
    ground.summarise()
    after = summaries()
    years = zip(after["annual_summary"], before["annual_summary"], strict=True)
    changed = {row["year"] for row, old in years if row != old}
    assert changed == {2019, 2020, 2021}
    shares = {row["class_id"]: row["mean_share"] for row in after["annual_summary"] if row["year"] == 2020}
    assert shares[WATER] < sum(moved_year()[WATER]) / 12 - 0.01, "its January is as that of 2019"
    for name in SUMMARIES:
        stack.warehouse.run(f"DELETE FROM `{stack.warehouse.table(name)}` WHERE TRUE", {})
    run_scheduled(stack.warehouse, RUN_TIME)
    assert summaries() == after, "as from nothing"
