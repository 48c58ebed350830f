"""Whom we ask, once, about what; what a vote is, and what all say together."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from django.utils.html import strip_tags

from support import surveys
from support.models import MassReply, Message, Survey, Ticket
from support.tickets import reply, set_status
from support.tokens import token_for
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, IncidentFactory
from tests.support.factories import agent, opened

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(settings):
    settings.SUPPORT_CSAT_DELAY_HOURS = 24
    settings.SUPPORT_NPS_SHARE = 100
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def solved(**fields):
    ticket = opened(**fields)
    reply(ticket, by=agent(ticket.queue), text="It works again.", then_status="solved")
    return ticket


def a_day_later(clock):
    clock.shift(timedelta(hours=25))


def seen(response):
    body = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(strip_tags("<main" + body).split())


# --- after a ticket ------------------------------------------------------------------------------


def test_solved_ticket_is_asked_about_once_after_the_delay(clock):
    ticket = solved()
    assert surveys.ask_about_tickets() == 0
    a_day_later(clock)
    assert surveys.ask_about_tickets() == 1
    assert surveys.ask_about_tickets() == 0
    survey = Survey.objects.get()
    assert (survey.kind, survey.ticket, survey.customer) == ("csat", ticket, ticket.customer)
    set_status(ticket, "open", by=None)
    set_status(ticket, "solved", by=None)
    a_day_later(clock)
    assert surveys.ask_about_tickets() == 0


def test_ticket_opened_again_is_not_asked_about(clock):
    set_status(solved(), "open", by=None)
    a_day_later(clock)
    assert surveys.ask_about_tickets() == 0


def test_what_lies_long_back_is_not_asked_about(clock):
    solved()
    clock.shift(timedelta(days=9))
    assert surveys.ask_about_tickets() == 0


def test_ticket_that_nobody_answered_is_not_asked_about(clock):
    set_status(opened(), "solved", by=None)
    a_day_later(clock)
    assert surveys.ask_about_tickets() == 0


def test_machines_are_not_asked(clock):
    ticket = solved()
    Message.objects.filter(ticket=ticket, direction="in").update(is_automatic=True)
    a_day_later(clock)
    assert surveys.ask_about_tickets() == 0


def test_who_has_no_mail_address_is_not_asked(clock):
    ticket = solved()
    Ticket.objects.filter(pk=ticket.pk).update(requester_address="+49123456")
    a_day_later(clock)
    assert surveys.ask_about_tickets() == 0


@pytest.mark.parametrize(("setting", "asked"), [(False, 0), (True, 1)])
def test_mass_reply_is_asked_about_only_where_set(clock, settings, setting, asked):
    settings.SUPPORT_CSAT_AFTER_MASS_REPLY = setting
    ticket = solved()
    mass = MassReply.objects.create(incident=IncidentFactory())
    Message.objects.filter(ticket=ticket, direction="out").update(mass_reply=mass)
    a_day_later(clock)
    assert surveys.ask_about_tickets() == asked


def test_negative_delay_asks_nobody(clock, settings):
    solved()
    a_day_later(clock)
    settings.SUPPORT_CSAT_DELAY_HOURS = -1
    assert surveys.ask_about_tickets() == 0


def test_survey_knows_what_was_given(clock):
    customer = CustomerFactory(email="ada@example.com")
    incident = IncidentFactory()
    award = AwardFactory(
        subscription=SubscriptionFactory(customer=customer),
        batch=BatchFactory(incident=incident),
        state="issued",
    )
    ticket = solved(customer=customer)
    Ticket.objects.filter(pk=ticket.pk).update(incident=incident)
    a_day_later(clock)
    surveys.ask_about_tickets()
    assert (Survey.objects.get().incident, Survey.objects.get().award) == (incident, award)


@pytest.mark.parametrize("count", [1, 3])
def test_asking_needs_as_many_queries_for_one_ticket_as_for_three(
    clock, count, django_assert_num_queries
):
    for number in range(count):
        solved(customer=CustomerFactory(email=f"{number}@example.com"))
    a_day_later(clock)
    with django_assert_num_queries(4):
        assert surveys.ask_about_tickets() == count


# --- after an incident ---------------------------------------------------------------------------


def hit(incident, **fields):
    subscription = SubscriptionFactory(customer=CustomerFactory(**fields))
    cohort = incident.cohorts.first() or CohortFactory(incident=incident)
    ExposureFactory(cohort=cohort, subscription=subscription, major_seconds=3600)
    return subscription.customer


@pytest.fixture
def incident():
    ended = NOW - timedelta(days=22)
    return IncidentFactory(started_at=ended - timedelta(hours=1), resolved_at=ended)


def test_customers_an_incident_hit_are_asked_once(incident):
    customer = hit(incident)
    hit(incident, email="")
    hit(IncidentFactory())
    assert surveys.ask_about_incidents() == 1
    assert surveys.ask_about_incidents() == 0
    survey = Survey.objects.get()
    assert (survey.kind, survey.incident, survey.customer) == ("nps", incident, customer)
    assert survey.address == customer.email


def test_customer_with_two_subscriptions_is_asked_once(incident):
    customer = hit(incident)
    ExposureFactory(
        cohort=incident.cohorts.get(),
        subscription=SubscriptionFactory(customer=customer),
        major_seconds=60,
    )
    assert surveys.ask_about_incidents() == 1


def test_who_was_asked_lately_has_rest(incident, clock):
    customer = hit(incident)
    surveys.ask_about_incidents()
    ended = NOW + timedelta(days=10)
    later = IncidentFactory(started_at=ended - timedelta(hours=1), resolved_at=ended)
    ExposureFactory(
        cohort=CohortFactory(incident=later),
        subscription=SubscriptionFactory(customer=customer),
        major_seconds=60,
    )
    other = hit(later)
    clock.shift(timedelta(days=32))
    surveys.ask_about_incidents()
    assert Survey.objects.get(incident=later).customer == other


def test_sample_is_a_share_and_always_the_same(incident, settings):
    customers = [hit(incident, email=f"{number}@example.com") for number in range(60)]
    settings.SUPPORT_NPS_SHARE = 30
    asked = surveys.ask_about_incidents()
    assert 5 < asked < 35
    assert surveys.ask_about_incidents() == 0
    settings.SUPPORT_NPS_SHARE = 100
    assert surveys.ask_about_incidents() == len(customers) - asked


def test_share_of_none_asks_nobody(incident, settings):
    hit(incident)
    settings.SUPPORT_NPS_SHARE = 0
    assert surveys.ask_about_incidents() == 0


# --- mails and votes -----------------------------------------------------------------------------


@pytest.fixture
def asked(clock):
    ticket = solved(language="de")
    a_day_later(clock)
    surveys.ask_about_tickets()
    assert surveys.send_surveys() == 1
    return Survey.objects.get(ticket=ticket)


def path_of(survey):
    return f"/survey/{token_for('survey', f'csat:{survey.ticket_id}')}/"


def test_mail_has_a_link_for_each_score_in_the_tickets_language(asked):
    [sent] = mail.outbox
    assert sent.subject == f"Wie war unsere Hilfe bei T-{asked.ticket_id}?"
    links = re.findall(r"http://127.0.0.1:8000(/survey/\S+)", sent.body)
    assert links == [f"{path_of(asked)}?score={score}" for score in range(1, 6)]
    assert f"+t{asked.ticket_id}." in sent.reply_to[0]
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert asked.sent_at is not None
    assert surveys.send_surveys() == 0


def test_secret_of_the_link_is_not_stored(asked):
    token = path_of(asked).split("/")[2]
    assert token not in str(Survey.objects.values().get())


def test_refused_address_is_not_tried_again(clock, monkeypatch):
    solved()
    a_day_later(clock)
    surveys.ask_about_tickets()
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", _refused)
    surveys.send_surveys()
    monkeypatch.undo()
    assert surveys.send_surveys() == 0
    assert Survey.objects.get().delivery_error == "no such address"


def _refused(*_args, **_kwargs):
    raise ValueError("no such address")


def test_following_the_link_votes_nothing_and_the_button_votes(client, asked):
    page = client.get(f"{path_of(asked)}?score=4")
    assert re.findall(r'value="(\d)"[^>]* checked', page.content.decode()) == ["4"]
    assert page["Referrer-Policy"] == "strict-origin"
    asked.refresh_from_db()
    assert (asked.score, asked.answered_at) == (None, None)
    response = client.post(path_of(asked), {"score": "4", "comment": " Danke! "}, follow=True)
    assert "Ihre Bewertung ist 4." in seen(response)
    asked.refresh_from_db()
    assert (asked.score, asked.comment) == (4, "Danke!")
    event = asked.ticket.events.latest("pk")
    assert (event.kind, event.data) == ("survey", {"from": None, "to": 4, "survey": asked.pk})


def test_vote_can_be_changed_for_some_days(client, asked, clock):
    client.post(path_of(asked), {"score": "1"})
    client.post(path_of(asked), {"score": "5"})
    assert Survey.objects.get().score == 5
    clock.shift(timedelta(days=14))
    assert "lässt sich nicht mehr ändern" in seen(client.post(path_of(asked), {"score": "2"}))
    assert Survey.objects.get().score == 5


@pytest.mark.parametrize("score", ["", "0", "6", "drei"])
def test_vote_outside_the_scale_is_refused(client, asked, score):
    assert client.post(path_of(asked), {"score": score}).status_code == 422
    assert Survey.objects.get().score is None


def test_question_closes(client, asked, clock):
    clock.shift(timedelta(days=91))
    assert "Diese Frage ist geschlossen" in seen(client.get(path_of(asked)))
    assert client.get("/survey/never-was/").status_code == 404


# --- sums ----------------------------------------------------------------------------------------


def answer(kind, score, **fields):
    customer = CustomerFactory()
    Survey.objects.create(
        kind=kind,
        score=score,
        customer=customer,
        token_hash=str(customer.pk),
        **{"sent_at": timezone.now()} | fields,
    )


def test_summary_of_nothing_has_no_figures():
    got = surveys.summary(NOW - timedelta(days=30))
    assert (got.csat_average, got.nps, got.csat_rate, got.nps_rate) == (None, None, None, None)


def test_summary_averages_and_takes_detractors_from_promoters():
    for score in (5, 4, 4, None):
        answer("csat", score)
    for score in (10, 9, 8, 6, 0, None, None, None):
        answer("nps", score)
    answer("csat", 1, sent_at=NOW - timedelta(days=31))
    got = surveys.summary(NOW - timedelta(days=30))
    assert (got.csat_sent, got.csat_answers, got.csat_average) == (4, 3, Decimal("4.33"))
    assert (got.nps_sent, got.nps_answers, got.nps) == (8, 5, 0)
    assert (got.csat_rate, got.nps_rate) == (75, 62)
