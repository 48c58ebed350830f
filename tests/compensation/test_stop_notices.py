"""Errors of authentication at Stripe stop everything, and people are told."""

import pytest
from django.core import mail

from backoffice.accounts.roles import Role
from compensation.issuing import has_work, issue, pause_batch, resume_issuing, stop_issuing
from compensation.issuing.control import pause_for, stop_for
from compensation.models import Batch, IssuingControl
from compensation.stop_notices import tell_of_stop
from compensation.tasks import issue_awards
from tests.accounts.factories import staff
from tests.compensation.screens import signed_in, words

pytestmark = pytest.mark.django_db


def test_refused_key_stops_all_issuing_and_tells_people_once(batch, issuing):
    resumes = [staff(Role.FINANCE), staff(Role.FINANCE_APPROVER, language="de")]
    staff(Role.SUPPORT_LEAD)
    staff(Role.FINANCE, is_active=False)
    before = len(mail.outbox)
    issuing.faults({"kind": "auth_401", "method": "POST", "path": "/balance", "count": 1})
    issue_awards()
    switch = IssuingControl.objects.get()
    assert switch.is_stopped
    assert "does not accept our key" in switch.reason
    batch.refresh_from_db()
    assert batch.state == "issuing"
    told = {message.to[0]: message for message in mail.outbox[before:]}
    assert {person.email for person in resumes} <= set(told)
    assert "does not accept our key" in told[resumes[0].email].body
    assert "/admin/compensation/issuingcontrol/" in told[resumes[0].email].body
    count = len(mail.outbox)
    assert tell_of_stop() == 0
    issue_awards()
    assert len(mail.outbox) == count
    assert not has_work()
    resume_issuing(by=resumes[0])
    issue()
    assert set(batch.awards.values_list("state", flat=True)) == {"issued"}
    assert issuing.totals("award")["by_metadata"]["credited_more_than_once"] == 0


def test_people_who_stopped_it_need_no_mail():
    stop_issuing(by=staff(Role.FINANCE), reason="Call from the bank")
    assert tell_of_stop() == 0


def test_mail_that_cannot_be_sent_is_tried_again(monkeypatch):
    staff(Role.FINANCE)
    stop_for("Stripe does not accept our key")

    def refuse(*_args):
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("compensation.stop_notices.send_mail", refuse)
        assert tell_of_stop() == 0
    assert tell_of_stop() >= 1


def test_each_stop_is_told():
    person = staff(Role.FINANCE)
    stop_for("first")
    assert tell_of_stop() >= 1
    resume_issuing(by=person)
    stop_for("second")
    assert tell_of_stop() >= 1


@pytest.mark.parametrize("page", ["/admin/", "/admin/customers/customer/"])
def test_banner_stands_on_every_page(batch, page):
    Batch.objects.filter(pk=batch.pk).update(state="issuing")
    pause_for(batch.pk, "The awards changed")
    person = staff(Role.FINANCE)
    stop_issuing(by=person, reason="Call from the bank")
    client, _reader = signed_in(Role.AUDITOR)
    seen = words(client.get(page))
    assert "All issuing is stopped." in seen
    assert f"By {person}," in seen
    assert ": Call from the bank" in seen
    assert f"Batch {batch.number} is paused." in seen
    assert ": The awards changed" in seen
    resume_issuing(by=person)
    assert "All issuing is stopped." not in words(client.get(page))


def test_banner_says_who_paused(batch):
    person = staff(Role.FINANCE_APPROVER)
    pause_batch(batch, by=person, reason="Wait")
    client, _reader = signed_in(Role.AUDITOR)
    assert f"is paused. By {person}," in words(client.get("/admin/"))
