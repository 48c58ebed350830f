"""Three incidents at once, one long past, and customers of whom each is hit by some or none.

The fibre is out in the middle since `START` and still is; mail was delayed everywhere from an hour
later until eight hours after; telephony fails in the west since half an hour before.
"""

from datetime import UTC, datetime, timedelta

from incidents.cohorts import resolve
from incidents.models import Incident
from support.models import Ticket
from support.tickets import open_ticket
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)
from tests.incidents.factories import IncidentFactory, OutageFactory

START = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
NOW = START + timedelta(hours=22)
COMPONENTS = {
    "fibre": "Fibre access",
    "dsl": "DSL access",
    "voice": "Voice",
    "television": "Television",
    "mail": "Mail",
}
SENDERS = {
    "fibre_mail": ("eu-central", ("fibre", "mail", "television")),
    "fibre_only": ("eu-east", ("fibre",)),
    "fibre_east": ("eu-east", ("fibre", "mail")),
    "dsl_mail": ("eu-central", ("dsl", "mail")),
    "dsl_voice_west": ("eu-west", ("dsl", "voice")),
}


def build():
    """Incidents by what is out, and customers by their kind."""
    components = {
        key: ComponentFactory.create(key=key, name=name) for key, name in COMPONENTS.items()
    }
    incidents = {
        "fibre": _incident(
            "Fibre outage in the Frankfurt area", components["fibre"], 0, "eu-central"
        ),
        "mail": _incident("Delivery of e-mails delayed", components["mail"], 60, "", ends=540),
        "voice": _incident("Calls fail", components["voice"], -30, "eu-west"),
        "past": _incident("Fibre cut", components["fibre"], -60 * 24 * 9, "", ends=-60 * 24 * 8),
    }
    customers = {}
    for name, (region, used) in SENDERS.items():
        customers[name] = CustomerFactory.create(reference=name, email=f"{name}@example.com")
        subscription = SubscriptionFactory.create(customer=customers[name], region=region)
        for key in used:
            ComponentUseFactory.create(subscription=subscription, component=components[key])
    for incident in incidents.values():
        resolve(incident, as_of=NOW)
    return incidents, customers


def open_case(case, customers):
    """The ticket of a case, as the web form would open it at its time."""
    ticket = open_ticket(
        subject=case.subject,
        text=case.text,
        channel=Ticket.Channel.WEB,
        customer=customers.get(case.sender),
        requester_address="" if case.sender in customers else "somebody@example.org",
        language=case.language,
    )
    at = START + timedelta(minutes=case.minutes)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at)
    return ticket


def _incident(title, component, minutes, region, ends=None):
    start = START + timedelta(minutes=minutes)
    end = START + timedelta(minutes=ends) if ends is not None else None
    incident = IncidentFactory.create(
        title=title,
        started_at=start,
        state=Incident.State.RESOLVED if end else Incident.State.IDENTIFIED,
        resolved_at=end,
    )
    OutageFactory.create(
        incident=incident, component=component, starts_at=start, ends_at=end, region=region
    )
    return incident
