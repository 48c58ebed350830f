"""The embedded services without Django: `python -m backoffice.embedded start` and so on."""

import argparse
import sys
from pathlib import Path

from backoffice import embedded

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m backoffice.embedded", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "remove"])
    command = parser.parse_args().command
    try:
        if command != "status":
            getattr(embedded, command)(ROOT)
    except embedded.StartError as error:
        sys.exit(f"amends: {error}")
    for service in embedded.status(ROOT):
        state = "running" if service.is_running else "stopped"
        sys.stdout.write(f"{service.name:<12}{state:<9}{service.url}\n")


if __name__ == "__main__":
    main()
