"""`make demo`: everything set up, the story played, then served until Ctrl-C."""

import json
import os
import sys
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backoffice.demo import stage
from backoffice.demo.company import write_company
from backoffice.demo.desk import set_up_desk
from backoffice.demo.encore import leave_work_open
from backoffice.demo.people import make_cast
from backoffice.demo.processes import ProcessError, Processes, stopped_at_end
from backoffice.demo.story import Setting, Tale, figures, tell
from backoffice.demo.summary import print_addresses, print_summary, write_addresses
from backoffice.stripe_sandbox.control import SandboxControl

MAPS = Path(settings.BASE_DIR) / "docs" / "maps"


class Command(BaseCommand):
    """Plays the main job for real, on a database of its own that each demo empties."""

    help = __doc__
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="end after the story")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument("--customers", type=int, default=2000, help="of the made company")
        parser.add_argument("--seed", type=int, default=2026, help="draws the made company")
        parser.add_argument("--telco", type=Path, help="telco_customers.csv instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if os.environ.get("STRIPE_API_KEY"):
            raise CommandError("The demo plays against the sandbox: unset STRIPE_API_KEY.")
        if options["telco"] and not options["telco"].is_file():
            raise CommandError(f"--telco: there is no file {options['telco']}.")
        scene = stage.current()
        if scene is None:
            try:
                environment = {**os.environ, **stage.build().environment()}
            except stage.StageTakenError as error:
                raise CommandError(str(error)) from None
            os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606
        processes = Processes(stage.PLACE, scene.environment())
        try:
            with stopped_at_end(processes):
                self._play(scene, processes, options)
        except ProcessError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")

    def _play(self, scene: stage.Stage, processes: Processes, options: dict[str, Any]) -> None:
        sandbox = SandboxControl(scene.sandbox_url)
        tale = Tale()
        with tale.stage("set_up"):
            call_command("migrate", verbosity=0)
            cast = make_cast()
            set_up_desk(cast)
            _start_parts(scene, processes)
        tell(tale, _setting(options), cast, processes)
        result = figures(tale, sandbox)
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            print_summary(self.stdout, result, tale)
        if not options["no_serve"]:
            running, waiting = leave_work_open(cast)
            print_addresses(self.stderr if options["json"] else self.stdout, scene, cast, tale)
            write_addresses(scene, cast, tale, incident=running, batch=waiting)
            processes.wait()


def _start_parts(scene: stage.Stage, processes: Processes) -> None:
    state = stage.PLACE / "stripe.sqlite3"
    for file in stage.PLACE.glob("stripe.sqlite3*"):
        file.unlink()
    processes.start(
        "sandbox",
        "backoffice.stripe_sandbox",
        "--port",
        str(scene.sandbox_port),
        "--state",
        str(state),
        "--webhook-url",
        f"{scene.web_url}/webhooks/stripe/",
        "--webhook-secret",
        stage.WEBHOOK_SECRET,
    )
    celery = ("celery", "-A", "backoffice.celery", "--workdir", str(settings.BASE_DIR))
    processes.start("worker", *celery, "worker", "--concurrency", "2", "--loglevel", "INFO")
    processes.start("beat", *celery, "beat", "--schedule", str(stage.PLACE / "beat"))
    processes.start(
        "web", "gunicorn", "backoffice.wsgi", "--bind", f"127.0.0.1:{scene.web_port}",
        "--chdir", str(settings.BASE_DIR), "--workers", "2", "--threads", "4",
    )  # fmt: skip
    stage.remember(processes.pids)
    processes.wait_for(scene.sandbox_url, "sandbox")
    processes.wait_for(f"{scene.web_url}/accounts/login/", "web")


def _setting(options: dict[str, Any]) -> Setting:
    """Customers as of the day before yesterday; yesterday's outage is over, within one month."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    as_of = today - timedelta(days=2)
    if options["telco"]:
        return Setting(
            customers_file=options["telco"],
            map_file=MAPS / "telco_customers.toml",
            component="Fiber optic",
            policy="aws-s3-standard",
            title="Fiber optic outage",
            as_of=as_of,
            floods=False,
        )
    file = stage.PLACE / "customers.csv"
    write_company(file, customers=options["customers"], seed=options["seed"], as_of=as_of)
    return Setting(
        customers_file=file,
        map_file=Path(__file__).parents[2] / "company.toml",
        component="Fibre access",
        policy="standard-sla",
        title="Fibre outage",
        as_of=as_of,
        floods=True,
    )
