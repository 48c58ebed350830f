"""The score: its parts, its weights, and the preview of other ones."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from support.models import PrioritySetting, PriorityWord, Ticket
from support.models.ticket import Band
from support.priority import (
    change_weights,
    compute_scores,
    current_weights,
    preview_weights,
    refresh_scores,
    refresh_waiting,
    sentiment_of,
)
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import opened

pytestmark = pytest.mark.django_db


def scored(ticket):
    refresh_scores([ticket.pk])
    ticket.refresh_from_db()
    return ticket.score_parts


def test_plan_counts_as_the_weights_say():
    PrioritySetting.objects.update(plan_values={"Business": 50})
    customer = SubscriptionFactory(plan="Business", fee_minor=0).customer
    assert scored(opened(customer=customer, text="Hello there."))["plan"] == 10


def test_segment_counts_where_the_plan_is_not_named():
    PrioritySetting.objects.update(plan_values={"segment:vip": 100})
    customer = SubscriptionFactory(fee_minor=0, customer=CustomerFactory(segment="vip")).customer
    assert scored(opened(customer=customer, text="Hello there."))["plan"] == 20


def test_priority_support_counts_while_it_lasts():
    award = AwardFactory(benefit="priority", amount_minor=0, currency="", days=30, state="issued")
    type(award).objects.update(priority_until=timezone.now() + timedelta(days=1))
    ticket = opened(customer=award.customer, text="Hello there.")
    assert scored(ticket)["priority_support"] == 20
    type(award).objects.update(priority_until=timezone.now() - timedelta(days=1))
    assert scored(ticket)["priority_support"] == 0


@pytest.mark.parametrize(("severity", "points"), [("critical", 20), ("major", 15), ("none", 0)])
def test_incident_counts_by_its_severity(severity, points):
    ticket = opened(text="Hello there.")
    Ticket.objects.update(incident=IncidentFactory(severity=severity))
    assert scored(ticket)["incident"] == points


def test_waiting_raises_the_score_until_it_is_full():
    ticket = opened(text="Hello there.")
    for hours, points in [(12, 8), (24, 15), (240, 15)]:
        Ticket.objects.update(unanswered_since=timezone.now() - timedelta(hours=hours))
        assert scored(ticket)["waiting"] == points


def test_waiting_is_counted_again_by_time_alone():
    ticket = opened(text="Hello there.")
    scored(ticket)
    Ticket.objects.update(unanswered_since=timezone.now() - timedelta(hours=24))
    assert refresh_waiting() == 1
    ticket.refresh_from_db()
    assert (ticket.score, ticket.band) == (15, Band.NORMAL)
    assert refresh_waiting() == 0


def test_fee_is_value_at_risk_by_the_month():
    yearly = SubscriptionFactory(fee_minor=300_000, interval_months=12).customer
    assert scored(opened(customer=yearly, text="Hello there."))["value"] == 10


@pytest.mark.parametrize(
    ("text", "language", "points", "words"),
    [
        ("This is UNACCEPTABLE!", "en", -60, ["unacceptable"]),
        ("Das ist eine Frechheit, ich werde kündigen", "de", -100, ["frechheit", "kündigen"]),
        ("Срочно! Не работает", "ru", -70, ["не работает", "срочно"]),
        ("Thanks, no hurry", "en", 60, ["no hurry", "thanks"]),
        ("Downton Abbey", "en", 0, []),
        ("urgent urgent urgent", "en", -50, ["urgent"]),
        ("", "en", 0, []),
    ],
)
def test_words_tell_the_mood(text, language, points, words):
    assert sentiment_of(text, language) == (points, words)


def test_words_may_hold_signs_of_expressions():
    PriorityWord.objects.create(language="en", word="c++ (", points=-10)
    assert sentiment_of("nothing", "en") == (0, [])


def test_change_weights_takes_the_right():
    setting = current_weights()
    with pytest.raises(PermissionDenied):
        change_weights(setting, by=staff(Role.SUPPORT_AGENT))
    setting.high_from = setting.urgent_from
    with pytest.raises(ValidationError) as error:
        change_weights(setting, by=staff(Role.SUPPORT_LEAD))
    assert list(error.value.message_dict) == ["high_from"]


def test_preview_stores_nothing_and_tells_who_moves(django_assert_num_queries):
    lead = staff(Role.SUPPORT_LEAD)
    calm, angry = opened(text="Hello there."), opened(text="Unacceptable. Lawyer.")
    refresh_scores([calm.pk, angry.pk])
    setting = current_weights()
    setting.sentiment, setting.urgent_from, setting.high_from = 100, 60, 50
    lead.has_perm("support.view_ticket")
    with django_assert_num_queries(2):
        preview = preview_weights(setting, user=lead)
    assert [(p.ticket, p.now, p.then, p.moved) for p in preview.places] == [
        (angry, 2, 1, 1),
        (calm, 1, 2, -1),
    ]
    assert preview.bands[0] == ("urgent", 0, 1)
    angry.refresh_from_db()
    assert angry.band == Band.LOW


def test_compute_scores_of_none_is_none():
    assert compute_scores([], current_weights()) == {}


class TestPage:
    """As a lead and as an agent meet it."""

    url = reverse("admin:support_prioritysetting_changelist")

    def test_lead_saves_plans_as_lines(self, client):
        client.force_login(staff(Role.SUPPORT_LEAD))
        form = client.get(self.url).context["form"]
        data = {name: form[name].value() for name in form.fields} | {
            "plans": "Business = 100\nsegment:vip=80\n"
        }
        response = client.post(reverse("admin:support_prioritysetting_save"), data)
        assert response.status_code == 302
        assert current_weights().plan_values == {"Business": 100, "segment:vip": 80}

    def test_broken_line_is_named_and_nothing_saved(self, client):
        client.force_login(staff(Role.SUPPORT_LEAD))
        form = client.get(self.url).context["form"]
        data = {name: form[name].value() for name in form.fields} | {
            "plans": "Business = 100\nHome, much"
        }
        page = client.post(reverse("admin:support_prioritysetting_save"), data)
        assert "Line 2, “Home, much”" in page.content.decode()
        assert current_weights().plan_values == {}

    def test_preview_names_the_field_that_is_wrong(self, client):
        client.force_login(staff(Role.SUPPORT_LEAD))
        page = client.get(self.url)
        assert "novalidate" in page.content.decode()  # or the script would ask for nothing
        form = page.context["form"]
        data = {name: form[name].value() for name in form.fields} | {"waiting_full_minutes": "-5"}
        said = client.post(reverse("admin:support_prioritysetting_preview"), data).content.decode()
        assert "Mend what is marked" in said
        assert f"<li>{form['waiting_full_minutes'].label}: " in said

    def test_agent_sees_but_cannot_change(self, client):
        client.force_login(staff(Role.SUPPORT_AGENT))
        assert "not change them" in client.get(self.url).content.decode()
