"""What the deployed functions share, a room for each thing they know.

On the ground floor: ``classes``, ``clients``, ``settings``, ``errors``, ``logs``. Then, each standing on
those before it: ``geometry``, ``imagery``, ``warehouse``, ``messages``, ``webhooks``, ``aois``, ``measurement``,
``earth_engine``, ``network``, ``cost``. docs/architecture.md tells the way through them.
"""
