"""All checks, in the order in which they are made: what is cheap and what others rest on comes first."""

from local.probe import bigquery, comparing, computing, images, network, pubsub, refusals, secrets
from local.probe.model import Check

CHECKS: tuple[Check, ...] = (
    *secrets.CHECKS,
    *bigquery.CHECKS,
    *pubsub.CHECKS,
    *images.CHECKS,
    *computing.CHECKS,
    *comparing.CHECKS,
    *network.CHECKS,
    *refusals.CHECKS,
)
