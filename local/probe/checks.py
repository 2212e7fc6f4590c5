"""All checks, in the order in which they are made: what is cheap and what others rest on comes first."""

from local.probe import bigquery, computing, images, network, pubsub, refusals, secrets
from local.probe.model import Check

CHECKS: tuple[Check, ...] = (
    *secrets.CHECKS,
    *bigquery.CHECKS,
    *pubsub.CHECKS,
    *images.CHECKS,
    *computing.CHECKS,
    *network.CHECKS,
    *refusals.CHECKS,
)
