"""Charts as SVG or PNG, drawn without a browser."""

from typing import Any

import altair
import vl_convert

from local.report.choices import Language
from local.report.data import ReportData
from local.report.labels import TEXTS
from local.report.sentences import CLASS_WORDS
from shared.classes import CLASSES

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# A share this large has room for the number of its class.
_LABELLED = 0.06
_PNG_SCALE = 2


def class_labels(language: Language) -> list[str]:
    """Number and word of each class, so that colour is never the only sign."""
    return [f"{c.class_id} {CLASS_WORDS[language][c.class_id]}" for c in CLASSES]


def monthly_svg(data: ReportData, language: Language) -> str:
    """Stacked composite shares, a bar a month; thin where little of the AOI was seen."""
    return _svg(_monthly(data, language))


def annual_svg(data: ReportData, language: Language) -> str:
    """The year's mode composite beside the mean of the months, a row of bars a class."""
    return _svg(_annual(data, language))


def report_png(data: ReportData, language: Language, sentences: list[str]) -> bytes:
    """Both charts under each other with the sentence of the year, as one picture."""
    title = altair.TitleParams(f"{data.label} · {data.year}", subtitle=sentences, anchor="start", fontSize=18)
    both = altair.vconcat(_monthly(data, language), _annual(data, language), title=title)
    themed = both.resolve_scale(color="independent").configure(font="sans-serif", background="white")
    return bytes(vl_convert.vegalite_to_png(themed.to_json(), scale=_PNG_SCALE))


def _monthly(data: ReportData, language: Language) -> Any:
    labels = class_labels(language)
    values = []
    for month in data.months:
        below = 0.0
        for row in data.month(month):
            if row["composite_share"] is None:
                continue
            values.append(
                {
                    "month": _month(month.month, language),
                    "class": labels[row["class_id"]],
                    "from": below,
                    "to": below + row["composite_share"],
                    "middle": below + row["composite_share"] / 2,
                    "number": str(row["class_id"]) if row["composite_share"] >= _LABELLED else "",
                    "coverage": row["mean_coverage"] or 0,
                }
            )
            below += row["composite_share"]
    names = [_month(month, language) for month in range(1, 13)]
    base = altair.Chart(altair.Data(values=values)).encode(
        x=altair.X("month:N", sort=names, scale=altair.Scale(domain=names), title=None, axis=altair.Axis(labelAngle=0))
    )
    bars = base.mark_bar().encode(
        y=altair.Y("from:Q", scale=altair.Scale(domain=[0, 1]), axis=altair.Axis(format="%"), title=None),
        y2=altair.Y2("to:Q"),
        color=altair.Color("class:N", scale=_colours(labels), sort=labels, title=None),
        size=altair.Size("coverage:Q", scale=altair.Scale(domain=[0, 1], range=[4, 38]), legend=None),
    )
    numbers = base.mark_text(fontSize=9).encode(
        y=altair.Y("middle:Q"), text=altair.Text("number:N"), color=altair.value("#000000aa")
    )
    return (bars + numbers).properties(width=620, height=280)


def _annual(data: ReportData, language: Language) -> Any:
    labels = class_labels(language)
    kinds = [TEXTS[language]["composite"], TEXTS[language]["mean"]]
    values: list[dict[str, Any]] = []
    for row in data.annual:
        for kind, column in zip(kinds, ("composite_share", "mean_share"), strict=True):
            if row[column] is not None:
                values.append({"class": labels[row["class_id"]], "kind": kind, "share": row[column]})
    base = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y("class:N", sort=labels, title=None),
        yOffset=altair.YOffset("kind:N", sort=kinds),
        x=altair.X("share:Q", axis=altair.Axis(format="%"), title=None),
    )
    bars = base.mark_bar().encode(
        color=altair.Color("class:N", scale=_colours(labels), legend=None),
        opacity=altair.Opacity("kind:N", scale=altair.Scale(domain=kinds, range=[1, 0.5]), title=None),
    )
    numbers = base.mark_text(align="left", dx=3, fontSize=10).encode(text=altair.Text("share:Q", format=".1%"))
    return (bars + numbers).properties(width=520, height=300)


def _colours(labels: list[str]) -> Any:
    return altair.Scale(domain=labels, range=[f"#{c.colour}" for c in CLASSES])


def _month(month: int, language: Language) -> str:
    return f"{month}月" if language is Language.ZH else _MONTHS[month - 1]


def _svg(chart: Any) -> str:
    themed = chart.configure(font="sans-serif", background="transparent").configure_view(stroke=None).configure_axis(
        grid=False, labelColor="#808784", tickColor="#999", domainColor="#999"
    ).configure_legend(labelColor="#808784", symbolFillColor="#808784").configure_text(color="#808784")  # fmt: skip
    return str(vl_convert.vegalite_to_svg(themed.to_json()))
