"""The report as one picture: both charts, the finding above them, and whom to name below."""

import textwrap
from typing import Any

import altair
import vl_convert

from local.report.cards import month_cards
from local.report.choices import Language
from local.report.data import ReportData
from local.report.findings import findings
from local.report.labels import TEXTS
from local.report.strips import INKS
from local.report.words import CLASS_WORDS
from shared.classes import ATTRIBUTION, CLASSES

_WIDTH = 620
_PNG_SCALE = 2
_UNSEEN_COLOUR = "#ffffff"
_LINE = 110


def report_png(data: ReportData, language: Language) -> bytes:
    """The months and the year under each other, as PNG."""
    found = findings(data, language)
    lines = [line for text in found.below for line in textwrap.wrap(text, _LINE)]
    subtitle = [f"{data.label} · {data.year}", *lines]
    title = altair.TitleParams(found.headline, subtitle=subtitle, anchor="start", fontSize=18, subtitleColor="#444")
    below = _text(ATTRIBUTION.format(years=data.year))
    whole = altair.vconcat(_monthly(data, language), _annual(data, language), below, title=title).resolve_scale(
        color="independent", opacity="independent"
    )
    axes = {"grid": False, "labelColor": "#444", "tickColor": "#888", "domainColor": "#888"}
    themed = whole.configure(font="sans-serif", background="white", padding=16, axis=axes).configure_view(stroke=None)
    return bytes(vl_convert.vegalite_to_png(themed.to_json(), scale=_PNG_SCALE))


def _labels(language: Language) -> list[str]:
    """Number and word of each class, so that colour is never the only sign."""
    return [f"{c.class_id} {CLASS_WORDS[language][c.class_id]}" for c in CLASSES]


def _monthly(data: ReportData, language: Language) -> Any:
    """A bar a month, of the height of the area: the classes seen, and what was not seen in white above them."""
    labels, unseen = _labels(language), TEXTS[language]["unseen"]
    values = []
    cards = month_cards(data, language)
    for card in cards:
        below = 0.0
        parts = [(labels[p.class_id], p.of_area_percent, p.number, INKS[p.class_id]) for p in card.strip.parts]
        for label, percent, number, ink in [*parts, (unseen, card.strip.unseen_percent, "", "#000")]:
            if percent:
                upper = below + percent / 100
                ends = {"from": below, "to": upper, "middle": (below + upper) / 2}
                values.append({"month": card.short, "class": label, "number": number, "ink": ink, **ends})
                below = upper
    names = [card.short for card in cards]
    base = altair.Chart(altair.Data(values=values)).encode(
        x=altair.X("month:N", sort=names, scale=altair.Scale(domain=names), title=None, axis=altair.Axis(labelAngle=0))
    )
    bars = base.mark_bar(stroke="#888", strokeWidth=0.3).encode(
        y=altair.Y("from:Q", scale=altair.Scale(domain=[0, 1]), axis=altair.Axis(format="%"), title=None),
        y2=altair.Y2("to:Q"),
        color=altair.Color("class:N", scale=_colours([*labels, unseen]), sort=[*labels, unseen], title=None),
    )
    numbers = base.mark_text(fontSize=10, fontWeight="bold").encode(
        y=altair.Y("middle:Q"), text=altair.Text("number:N"), color=altair.Color("ink:N", scale=None)
    )
    return (bars + numbers).properties(width=_WIDTH, height=260)


def _annual(data: ReportData, language: Language) -> Any:
    labels = _labels(language)
    kinds = [TEXTS[language]["composite"], TEXTS[language]["mean"]]
    values: list[dict[str, Any]] = []
    for row in data.annual:
        for kind, column in zip(kinds, ("composite_share", "mean_share"), strict=True):
            if row[column] is not None:
                values.append({"class": labels[row["class_id"]], "kind": kind, "share": row[column]})
    base = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y("class:N", sort=labels, title=None),
        yOffset=altair.YOffset("kind:N", sort=kinds),
        x=altair.X("share:Q", axis=altair.Axis(format="%", tickCount=6), title=None),
    )
    bars = base.mark_bar().encode(
        color=altair.Color("class:N", scale=_colours(labels), legend=None),
        opacity=altair.Opacity("kind:N", scale=altair.Scale(domain=kinds, range=[1, 0.5]), title=None),
    )
    numbers = base.mark_text(align="left", dx=3, fontSize=10).encode(text=altair.Text("share:Q", format=".1%"))
    return (bars + numbers).properties(width=_WIDTH, height=300)


def _text(text: str) -> Any:
    """A few lines of small print."""
    lines = [{"line": number, "text": line} for number, line in enumerate(textwrap.wrap(text, _LINE))]
    return (
        altair.Chart(altair.Data(values=lines))
        .mark_text(align="left", fontSize=10, color="#444")
        .encode(y=altair.Y("line:O", axis=None), x=altair.value(0), text=altair.Text("text:N"))
        .properties(width=_WIDTH, height=14 * len(lines))
    )


def _colours(labels: list[str]) -> Any:
    colours = [f"#{c.colour}" for c in CLASSES] + [_UNSEEN_COLOUR]
    return altair.Scale(domain=labels, range=colours[: len(labels)])
