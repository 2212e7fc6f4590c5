"""The measurement of what jobs and views read still fits their SQL, and their reading does not grow with history."""

import pytest

from benchmarks import warehouse


def test_the_monthly_job_reads_no_more_for_ten_years_than_for_one_and_filters_reach_the_tables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warehouse, "_AOIS", 60)
    monkeypatch.setattr(warehouse, "_VIEWS_A_YEAR", 36)
    rows = {row.what: row for row in warehouse.rows()}
    assert len(rows) == 6
    assert all(row.holds for row in rows.values() if row.bar), [row.what for row in rows.values() if not row.holds]
