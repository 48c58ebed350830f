"""The story: an outage, whom it hit, what they are owed, who approved it, and the customer's page.

Every step goes through the verb, the worker, the API or the page that would do it in earnest.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Sum

from backoffice.customers.importing import import_customers, read_map
from backoffice.customers.mirror import mirror_stripe
from backoffice.customers.models import Component, Customer
from backoffice.demo import flood as flooding
from backoffice.demo.people import Cast
from backoffice.demo.processes import Processes
from backoffice.states import history
from backoffice.stripe_sandbox.control import SandboxControl
from compensation.approval import approve_batch
from compensation.batches import create_batch, price_batch, submit_batch
from compensation.models import Award, Batch
from compensation.policies import activate_version, install_ready_made, make_default
from incidents.cohorts import add_cohort, resolve
from incidents.lifecycle import (
    acknowledge_incident,
    add_outage,
    declare_incident,
    identify_incident,
    resolve_incident,
)
from incidents.models import Incident

OUTAGE_LENGTH = timedelta(hours=2, minutes=26)
LONGEST_ISSUING = timedelta(minutes=10)


@dataclass(frozen=True)
class Setting:
    """What differs between the made company and a file of real customers."""

    customers_file: Path
    map_file: Path
    component: str
    policy: str
    title: str
    as_of: datetime
    # Whether the customers have addresses to write from.
    floods: bool


@dataclass
class Tale:
    """What came out of the story; the demo's JSON object is made of it."""

    customers: int = field(init=False)
    exposed: int = field(init=False)
    incident: Incident = field(init=False)
    batch: Batch = field(init=False)
    featured: Customer = field(init=False)
    portal_url: str = field(init=False)
    flood: flooding.Flood | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)


def tell(tale: Tale, setting: Setting, cast: Cast, processes: Processes) -> None:
    """Play it from the first customer to the customer's page, filling in `tale`.

    Raises:
        ProcessError: the worker or the web has ended, or issuing does not come to an end.
    """
    with tale.stage("import"):
        tale.customers = _import(setting)
    with tale.stage("stripe"):
        mirror_stripe(create=True)
    with tale.stage("incident"):
        tale.incident = _have_an_outage(setting, cast)
    with tale.stage("cohort"):
        tale.exposed = _find_the_affected(tale.incident, setting, cast)
    with tale.stage("pricing"):
        tale.batch = _price(tale.incident, setting.policy, cast)
    with tale.stage("approval"):
        _approve(tale.batch, cast)
    with tale.stage("issuing"):
        _wait_until_issued(tale.batch, processes)
    with tale.stage("page"):
        tale.featured = _somebody_with_credit(tale.batch)
        tale.portal_url = ask_for_portal_link(tale.featured, cast.api_key)
    if setting.floods:
        with tale.stage("flood"):
            tale.flood = flooding.tickets(tale.incident, check=processes.check)
        with tale.stage("desk"):
            flooding.work(tale.flood, cast, check=processes.check)


def _import(setting: Setting) -> int:
    how = read_map(setting.map_file.read_text(encoding="utf-8"))
    with setting.customers_file.open("rb") as file, history(by=None, reason="demo"):
        import_customers(
            file, how=how, file_name=setting.customers_file.name, as_of=setting.as_of.date()
        )
    return Customer.objects.count()


def _have_an_outage(setting: Setting, cast: Cast) -> Incident:
    """Declared, taken and understood; at the end of this the outage still runs."""
    start, by = _start(setting), cast.manager
    incident = declare_incident(
        title=setting.title, severity="major", started_at=start, detected_at=start, by=by
    )
    component = Component.objects.get(name=setting.component)
    add_outage(incident=incident, component=component, impact="major", starts_at=start, by=by)
    acknowledge_incident(incident=incident, at=start + timedelta(minutes=9), by=by)
    identify_incident(incident=incident, at=start + timedelta(minutes=31), by=by)
    return incident


def _find_the_affected(incident: Incident, setting: Setting, cast: Cast) -> int:
    add_cohort(incident=incident, name=f"Everyone on {setting.component}", by=cast.manager)
    resolve_incident(incident=incident, at=_start(setting) + OUTAGE_LENGTH, by=cast.manager)
    return resolve(incident).subscriptions


def _start(setting: Setting) -> datetime:
    """The day after the file's: whoever is in it was a customer for the whole of that day."""
    return setting.as_of + timedelta(days=1, hours=14, minutes=2)


def _price(incident: Incident, policy: str, cast: Cast) -> Batch:
    version = install_ready_made(policy, by=cast.finance)
    activate_version(version, by=cast.finance, accepted="As it is published.")
    make_default(version.policy, by=cast.finance)
    batch = create_batch(incident, version, by=cast.finance)
    price_batch(batch, by=cast.finance)
    submit_batch(batch, by=cast.finance)
    return batch


def _approve(batch: Batch, cast: Cast) -> None:
    for approver in (cast.approver, cast.second_approver)[: batch.approvals_needed]:
        approve_batch(batch, by=approver, digest=batch.digest, comment="Checked the sums.")


def _wait_until_issued(batch: Batch, processes: Processes) -> None:
    deadline = time.monotonic() + LONGEST_ISSUING.total_seconds()
    while batch.state != Batch.State.ISSUED and time.monotonic() < deadline:
        processes.check()
        time.sleep(0.25)
        batch.refresh_from_db()


def _somebody_with_credit(batch: Batch) -> Customer:
    """The German speaker with the largest credit, or else whoever has the largest."""
    awards = batch.awards.filter(state=Award.State.ISSUED, benefit=Award.Benefit.CREDIT)
    german = awards.filter(customer__language="de").order_by("-amount_minor", "id").first()
    return (german or awards.order_by("-amount_minor", "id")[0]).customer


def ask_for_portal_link(customer: Customer, api_key: str) -> str:
    """Through the API, as the host product does."""
    request = urllib.request.Request(  # noqa: S310
        f"{settings.PUBLIC_URL}/api/v1/portal-sessions/",
        data=json.dumps({"customer": customer.reference}).encode(),
        headers={"Authorization": f"Api-Key {api_key}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return str(json.load(answer)["url"])


def figures(tale: Tale, sandbox: SandboxControl) -> dict[str, object]:
    """The JSON object of `--json`: what we say, beside what the sandbox says."""
    awards = Award.objects.filter(batch=tale.batch).exclude(state=Award.State.EXCLUDED)
    states = dict(awards.order_by().values_list("state").annotate(Count("id")))
    amounts = (
        awards.filter(state=Award.State.ISSUED, benefit=Award.Benefit.CREDIT)
        .order_by("currency")
        .values_list("currency")
        .annotate(Sum("amount_minor"))
    )
    trials = awards.filter(state=Award.State.ISSUED, benefit=Award.Benefit.TRIAL)
    return {
        "customers": tale.customers,
        "exposed": tale.exposed,
        "awards": sum(states.values()),
        "issued": states.get(Award.State.ISSUED, 0),
        "failed": states.get(Award.State.FAILED, 0),
        "unknown": states.get(Award.State.UNKNOWN, 0),
        "amount_minor": dict(amounts),
        "sandbox_amount_minor": sandbox_amounts(sandbox),
        "trial_extensions": trials.count(),
        "flood": flooding.figures(tale.flood) if tale.flood else None,
        "seconds": tale.seconds,
    }


def sandbox_amounts(sandbox: SandboxControl) -> dict[str, int]:
    """Credits by currency in minor units, as the sandbox adds them up itself."""
    return {
        currency.upper(): sums["credited_minor"]
        for currency, sums in sorted(sandbox.totals()["currencies"].items())
    }
