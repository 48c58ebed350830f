#!/usr/bin/env python
"""Django's command line, with the embedded services started first where no URLs are set."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WITHOUT_SERVICES = {"help", "version", "--help", "--version", "makemessages", "collectstatic"}


def start_services() -> None:
    """Start what neither the environment nor `.env` names; ends the program where that fails."""
    from backoffice import embedded

    if (ROOT / ".env").is_file():
        import environ

        environ.Env.read_env(ROOT / ".env")
    try:
        embedded.start(ROOT)
    except embedded.StartError as error:
        sys.exit(f"amends: {error}")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in WITHOUT_SERVICES:
        start_services()

    from django.core.management import execute_from_command_line

    # Tasks are sent through it: without the import they would go to a broker of nobody's.
    import backoffice.celery  # noqa: F401

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
