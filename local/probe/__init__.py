"""``landcover probe``: what the pipeline assumes of the real services, asked of them one by one, a module a service."""
