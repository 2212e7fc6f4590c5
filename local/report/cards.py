"""One period as pages show it, seen or not: in the strip, on its map, in words and in the table."""

from datetime import date
from typing import NamedTuple

from local.report.choices import Language
from local.report.data import ReportData, Rows
from local.report.judging import Seen
from local.report.labels import TEXTS
from local.report.sentences import unseen_reason
from local.report.strips import Strip, strip
from local.report.words import MONTH_WORDS

_SUMMER = 7


class Card(NamedTuple):
    """A month or a year. ``number`` is the month (1 to 12) or the year; ``reason`` says why nothing was seen."""

    key: str
    number: int
    name: str
    short: str
    sentence: str
    strip: Strip
    seen_share: float
    views: int
    network: int
    rows: Rows
    reason: str


def card(key: str, number: int, name: str, short: str, sentence: str, seen: Seen, rows: Rows, reason: str) -> Card:
    """From the nine rows of a ``report_*`` view, or from none."""
    views, network = (rows[0]["observation_count"], rows[0]["network_count"]) if rows else (0, 0)
    return Card(key, number, name, short, sentence, strip(seen), seen.seen_share, views, network, rows, reason)


def month_cards(data: ReportData, language: Language) -> list[Card]:
    """The twelve months of a year."""
    cards = []
    for number, sentence in data.month_sentences(language).items():
        name = MONTH_WORDS[language][number - 1]
        short = name[:3] if language is Language.EN else str(number)
        reason = unseen_reason(data.fates_of(number), language)
        rows = data.month(date(data.year, number, 1))
        key = f"{data.year}-{number:02d}"
        cards.append(card(key, number, name, short, sentence, data.seen(number), rows, reason))
    return cards


def best_seen(cards: list[Card]) -> int:
    """The month to show first: that with most of the area seen, the nearest to July among equals."""
    return max(cards, key=lambda card: (card.seen_share, -abs(card.number - _SUMMER))).number


def year_card(data: ReportData, language: Language) -> Card:
    """The year that the months make."""
    name, sentence = TEXTS[language]["year"], data.year_sentence(language)
    reason = unseen_reason(data.fates_of(), language)
    return card(str(data.year), data.year, name, name, sentence, data.seen_year, data.annual, reason)
