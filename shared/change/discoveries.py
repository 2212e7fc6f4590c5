"""Which alarms of a fleet are told: so that of those told at most one in ten is false, once enough is known.

A patch is compared with the largest patches of past years of areas of like size in which nothing changed: how often was
one as large by chance? With many areas asked at once the largest of them is large by chance too, which Benjamini and
Hochberg (1995, doi 10.1111/j.2517-6161.1995.tb02031.x) account for. It takes quiet years in the thousands to tell a
patch from the largest of them; until then the limit of each area alone keeps false alarms few, and each event says so.
"""

from collections.abc import Sequence

# Of the alarms that are told, at most this share is false on average.
FALSE_SHARE = 0.1
FEWEST_QUIET_YEARS = 1_000


def p_value(as_large: int, quiet: int) -> float:
    """How likely a patch this large is where nothing changes: ``as_large`` of ``quiet`` past years had one."""
    return (1 + as_large) / (1 + quiet)


def discoveries(p_values: Sequence[float], asked: int, false_share: float = FALSE_SHARE) -> list[bool]:
    """Which patches with these p-values are told, of all areas that were asked; those without a patch have p = 1.

    Raises ValueError when fewer areas were asked than have a patch.
    """
    if asked < len(p_values):
        raise ValueError(f"{len(p_values)} areas have a patch of {asked} that were asked")
    ranked = sorted(p_values)
    passed = [p for rank, p in enumerate(ranked, 1) if p <= false_share * rank / asked]
    return [bool(passed) and p <= passed[-1] for p in p_values]
