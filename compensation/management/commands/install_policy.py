"""manage.py install_policy KEY [--activate] [--default]: a ready-made policy to start from."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from compensation import policies, ready_made
from compensation.models import PolicyVersion


class Command(BaseCommand):
    help = "Install a ready-made policy. Installing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", help=f"one of: {', '.join(ready_made.keys())}")
        parser.add_argument("--activate", action="store_true", help="put it into force")
        parser.add_argument(
            "--default", action="store_true", help="use it for live liability and draft batches"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = policies.install_ready_made(options["key"])
            if options["activate"] and version.state == PolicyVersion.State.DRAFT:
                policies.activate_version(version, by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if options["default"]:
            policies.make_default(version.policy)
        self.stdout.write(f"{version}: {version.get_state_display()}")
