"""The commands of ``landcover``, by what they are for. Each loads only what it needs."""
