#!/usr/bin/env python
"""Django's command line, with the embedded services started first where no URLs are set."""

import os
import sys
from pathlib import Path

WITHOUT_SERVICES = {"help", "version", "--help", "--version", "makemessages", "compilemessages"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in WITHOUT_SERVICES:
        from backoffice import embedded

        embedded.start(Path(__file__).resolve().parent)

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
