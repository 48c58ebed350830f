"""The real worker, killed in the middle of a mass reply."""

from collections import Counter

import pytest

import backoffice.celery  # noqa: F401 - tasks belong to this application from the start
from backoffice.accounts.roles import Role
from support import mass_reply, matching
from support.models import MassReplyRecipient, Message, Ticket
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import opened
from tests.worker import WorkerProcess, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

TICKETS = 160
TASK = "support.tasks.write_mass_replies"


def written():
    return MassReplyRecipient.objects.filter(state="written").count()


def test_killed_worker_loses_and_doubles_nothing(tmp_path):
    lead, incident = staff(Role.SUPPORT_LEAD), IncidentFactory.create()
    for _ in range(TICKETS):
        matching.link(opened(customer=CustomerFactory.create()), incident, by=None)
    draft = mass_reply.draft(incident, by=lead)
    mass_reply.change_draft(draft, texts={"en": "It works again."}, solves=True, by=lead)
    mass_reply.start(draft, recipients=TICKETS, by=lead)
    with WorkerProcess(log=tmp_path / "worker.log") as worker:
        for goal in (20, 70):
            worker.start()
            worker.send(TASK)
            wait_until(lambda goal=goal: written() >= goal, 60, every=0.01)
            worker.kill()
            assert goal <= written() < TICKETS
        worker.start()
        worker.send(TASK)
        wait_until(lambda: type(draft).objects.get(pk=draft.pk).state == "done", 90)
    per_ticket = Counter(Message.objects.filter(mass_reply=draft).values_list("ticket", flat=True))
    assert len(per_ticket) == TICKETS
    assert set(per_ticket.values()) == {1}
    assert set(Ticket.objects.values_list("status", flat=True)) == {"solved"}
    assert written() == TICKETS
