"""``python -m local`` is the command ``landcover``."""

from local.cli import main

main()
