"""Charts as SVG text, drawn without a browser."""

from typing import Any

import altair
import vl_convert

from local.report.data import ReportData
from shared.classes import CLASSES

_NAMES = [c.name.replace("_", " ") for c in CLASSES]
_SCALE = altair.Scale(domain=_NAMES, range=[f"#{c.colour}" for c in CLASSES])
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def monthly_bars(data: ReportData) -> str:
    """Stacked composite shares, a bar a month; thin where little of the AOI was seen."""
    values = [
        {
            "month": f"{row['month']:%b}",
            "class": row["class_name"].replace("_", " "),
            "order": row["class_id"],
            "share": row["composite_share"],
            "coverage": row["mean_coverage"] or 0,
        }
        for row in data.monthly
        if row["composite_share"] is not None
    ]
    chart = (
        altair.Chart(altair.Data(values=values))
        .mark_bar()
        .encode(
            x=altair.X(
                "month:N", sort=_MONTHS, scale=altair.Scale(domain=_MONTHS), title=None, axis=altair.Axis(labelAngle=0)
            ),
            y=altair.Y(
                "share:Q", stack="zero", scale=altair.Scale(domain=[0, 1]), axis=altair.Axis(format="%"), title=None
            ),
            color=altair.Color("class:N", scale=_SCALE, sort=_NAMES, title=None),
            order=altair.Order("order:Q"),
            size=altair.Size("coverage:Q", scale=altair.Scale(domain=[0, 1], range=[4, 38]), legend=None),
        )
        .properties(width=620, height=280)
    )
    return _svg(chart)


def annual_bars(data: ReportData) -> str:
    """The year's mode composite beside the mean of the months, a row of bars a class."""
    values: list[dict[str, Any]] = []
    for row in data.annual:
        for kind, column in (("mode composite", "composite_share"), ("mean of months", "mean_share")):
            if row[column] is not None:
                values.append({"class": row["class_name"].replace("_", " "), "kind": kind, "share": row[column]})
    base = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y("class:N", sort=_NAMES, title=None),
        yOffset=altair.YOffset("kind:N", sort=["mode composite", "mean of months"]),
        x=altair.X("share:Q", axis=altair.Axis(format="%"), title=None),
    )
    bars = base.mark_bar().encode(
        color=altair.Color("class:N", scale=_SCALE, legend=None),
        opacity=altair.Opacity(
            "kind:N", scale=altair.Scale(domain=["mode composite", "mean of months"], range=[1, 0.5]), title=None
        ),
    )
    labels = base.mark_text(align="left", dx=3, fontSize=10).encode(text=altair.Text("share:Q", format=".1%"))
    return _svg((bars + labels).properties(width=520, height=300))


def _svg(chart: Any) -> str:
    themed = chart.configure(font="sans-serif", background="transparent").configure_view(stroke=None).configure_axis(
        grid=False, labelColor="#808784", tickColor="#999", domainColor="#999"
    ).configure_legend(labelColor="#808784", symbolFillColor="#808784").configure_text(color="#808784")  # fmt: skip
    return str(vl_convert.vegalite_to_svg(themed.to_json()))
