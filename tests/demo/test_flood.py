"""The demo's flood, with the worker's work done in this process."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.demo import flood
from backoffice.demo.people import make_cast
from incidents.cohorts import resolve
from support import mass_reply
from support.intake import handle_inbound
from support.models import Message
from support.outgoing import send_messages
from support.processing import process_events
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)
from tests.incidents.factories import IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db


def the_worker():
    """What the real one does between two looks."""
    handle_inbound()
    while process_events():
        pass
    mass_reply.write_slice()
    send_messages()


def test_flood_is_linked_worked_and_answered_in_one_go(monkeypatch, settings):
    settings.SUPPORT_UNDO_SECONDS = 0
    monkeypatch.setattr("backoffice.demo.flood.time.sleep", lambda _seconds: None)
    start = timezone.now() - timedelta(days=1)
    incident = IncidentFactory.create(
        title="Fibre outage", started_at=start, state="resolved",
        resolved_at=start + timedelta(hours=2),
    )  # fmt: skip
    fibre = ComponentFactory.create(key="fibre-access", name="Fibre access")
    dsl = ComponentFactory.create(key="dsl-access", name="DSL access")
    OutageFactory.create(
        incident=incident, component=fibre, starts_at=start, ends_at=start + timedelta(hours=2)
    )
    for number in range(60):
        customer = CustomerFactory.create(language=("en", "de")[number % 2], name=f"Ada {number}")
        use = fibre if number < 40 else dsl
        ComponentUseFactory.create(
            subscription=SubscriptionFactory.create(customer=customer), component=use
        )
    resolve(incident)
    cast = make_cast()
    told = flood.tickets(incident, check=the_worker, about=45, others=15)
    flood.work(told, cast, check=the_worker)
    figures = flood.figures(told)
    assert (figures["tickets"], figures["about_the_outage"]) == (60, 45)
    assert figures["linked_wrongly"] <= 1
    assert figures["linked_rightly"] >= 38
    assert (figures["taken_by_agents"], figures["answered_by_hand"]) == (36, 36)
    assert figures["answered_in_one_go"] >= 5
    assert told.mass_reply.state == "done"
    assert not Message.objects.filter(delivery__in=["queued", "sending", "failed"]).exists()
    assert f"{figures['linked_rightly']} of them rightly" in flood.in_words(figures)
