"""The desk's settings in the admin: queues, agents, rules, webhooks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from support import webhooks
from support.models import Agent, AutomationRule, Queue, RuleRun, WebhookDelivery, WebhookEndpoint
from support.processing import process_events
from tests.accounts.factories import staff
from tests.support.factories import QueueFactory, TicketFactory, agent, opened
from tests.support.other_system import other_system

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client):
    user = staff(Role.SUPPORT_LEAD)
    client.force_login(user)
    return user


@pytest.fixture
def admin(client):
    user = staff(Role.ADMINISTRATOR)
    client.force_login(user)
    return user


def page(client, name, *args):
    return client.get(reverse(f"admin:support_{name}", args=args)).content.decode()


def send(client, door, *args, **data):
    return client.post(reverse(f"admin:support_{door}", args=args), data, follow=True)


QUEUE = {"name": "Billing", "slug": "billing", "is_active": "on", "assignment": "round_robin"}


def test_queue_is_added_with_members_and_skills(client, lead):
    ann = agent()
    send(client, "queue_add", **QUEUE, skills="Fibre, billing, fibre,", members=[ann.pk])
    queue = Queue.objects.get(slug="billing")
    assert (queue.skills, list(queue.members.all())) == (["billing", "fibre"], [ann])


def test_members_are_chosen_among_who_may_answer(client, lead):
    finance, ann = staff(Role.FINANCE, full_name="Fin Ance"), agent()
    form = page(client, "queue_add")
    assert str(ann) in form
    assert str(finance) not in form
    answer = send(client, "queue_add", **QUEUE, members=[finance.pk])
    assert "is not one of the available choices" in answer.content.decode()


def test_a_new_default_queue_takes_the_place(client, lead):
    general = Queue.objects.get()
    send(client, "queue_add", **QUEUE, is_default="on")
    general.refresh_from_db()
    assert not general.is_default
    assert Queue.objects.get(is_default=True).slug == "billing"


def test_there_is_always_a_default_queue_that_is_active(client, lead):
    general = Queue.objects.get()
    data = {"name": "General", "slug": "general", "assignment": "manual"}
    answer = send(client, "queue_change", general.pk, **data, is_active="on")
    assert "Make another queue the default one instead." in answer.content.decode()
    answer = send(client, "queue_change", general.pk, **data, is_default="on")
    assert "it must be active" in answer.content.decode()
    assert "Delete queue" not in page(client, "queue_change", general.pk)
    assert client.post(reverse("admin:support_queue_delete", args=[general.pk])).status_code == 403


def test_two_queues_share_no_address(client, lead):
    QueueFactory(email="help@example.com")
    answer = send(client, "queue_add", **QUEUE, email="Help@example.com")
    assert "goes to another queue already" in answer.content.decode()


def test_queue_says_who_can_be_given_its_tickets(client, lead):
    queue = QueueFactory(assignment="round_robin", skills=["fibre"])
    now = timezone.now()
    full = agent(queue, capacity=1, skills=["fibre"])
    TicketFactory(assignee=full, status="open")
    agent(queue, skills=["fibre"])
    agent(queue, away_from=now)
    agent(queue, takes_part=False)
    agent(queue, skills=["voip"])
    queue.members.add(staff(Role.SUPPORT_AGENT), staff())
    said = page(client, "queue_change", queue.pk)
    for words in (
        "has 1 of 1 tickets", "can be given tickets", "is away", "only takes tickets by hand",
        "lacks fibre", "is no agent yet", "may not answer tickets",
    ):  # fmt: skip
        assert said.count(words) == 1, words


def test_agents_are_listed_with_load_and_presence(client, lead):
    now = timezone.now()
    ann = agent(capacity=3, languages=["de", "en"])
    for status in ("open", "open", "waiting", "solved"):
        TicketFactory(assignee=ann, status=status)
    agent(away_from=now - timedelta(hours=1))
    agent(takes_part=False)
    said = page(client, "agent_changelist")
    assert "2 of 3" in said
    assert "de, en" in said
    for words in ("away", "takes tickets by hand", "there"):
        assert words in said


def test_lists_cost_the_same_whatever_they_show(client, lead):
    costs = []
    for number in (1, 1, 3):  # the first time fills caches
        for _turn in range(number):
            agent(QueueFactory())
            name = f"R{AutomationRule.objects.count()}"
            rule = AutomationRule.objects.create(name=name, on_events=["opened"])
            RuleRun.objects.create(rule=rule, ticket=opened())
        costs.append([])
        for name in ("agent", "queue", "automationrule", "rulerun"):
            with CaptureQueriesContext(connection) as queries:
                page(client, f"{name}_changelist")
            costs[-1].append(len(queries))
    assert costs[1] == costs[2]


def test_agent_is_added_and_changed(client, admin):
    ann = staff(Role.SUPPORT_AGENT)
    data = {"capacity": "10", "takes_part": "on", "languages": ["de"], "skills": "fibre"}
    send(client, "agent_add", user=ann.pk, **data)
    row = Agent.objects.get(user=ann)
    assert (row.capacity, row.languages, row.skills) == (10, ["de"], ["fibre"])
    send(client, "agent_change", row.pk, **data | {"capacity": "11", "languages": []})
    row.refresh_from_db()
    assert (row.capacity, row.languages, row.user) == (11, [], ann)


def test_absence_is_set_and_ended_with_a_button(client):
    ann, bob = agent(), agent()
    ann.time_zone = "Europe/Berlin"
    ann.save()
    client.force_login(ann)
    said = page(client, "agent_change", ann.agent.pk)
    assert "Set absence" in said
    answer = send(
        client, "agent_absence", ann.agent.pk,
        away_from="2026-12-24T08:00", away_until="2027-01-02T08:00", stand_in=bob.pk,
    )  # fmt: skip
    ann.agent.refresh_from_db()
    assert (ann.agent.away_from.isoformat(), ann.agent.stand_in) == (
        "2026-12-24T07:00:00+00:00", bob,
    )  # fmt: skip
    assert "Cancel this absence" in answer.content.decode()
    answer = send(client, "agent_absence", ann.agent.pk, away_from="", stand_in=ann.pk)
    assert "From: This field is required." in answer.content.decode()
    send(client, "agent_back", ann.agent.pk)
    ann.agent.refresh_from_db()
    assert ann.agent.away_from is None
    assert "Set absence" not in page(client, "agent_change", bob.agent.pk)
    assert send(client, "agent_absence", bob.agent.pk).status_code == 403


RULE = {
    "name": "VIPs first", "position": "1", "is_active": "on", "on_events": ["opened"],
    "condition": 'band >= "low"', "actions": "add_tags: vip\nassign: nobody",
}  # fmt: skip


def test_rule_is_written_and_reads_as_a_sentence(client, lead):
    send(client, "automationrule_add", **RULE)
    rule = AutomationRule.objects.get()
    assert rule.actions == [{"do": "add_tags", "tags": ["vip"]}, {"do": "assign", "to": ""}]
    assert rule.on_events == ["opened"]
    said = " ".join(page(client, "automationrule_changelist").split())
    assert "<b>When</b> opened <b>if</b>" in said
    assert "<b>then</b> add the tag vip; give it back to its queue" in said
    form = page(client, "automationrule_change", rule.pk)
    assert "add_tags: vip\nassign: nobody" in form


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"on_events": []}, "Say when: what happens, or how long after what."),
        ({"after_minutes": "5"}, "belong together"),
        ({"after_field": "due_at"}, "belong together"),
        ({"after_minutes": "999999", "after_field": "due_at"}, "At most a year."),
        ({"condition": 'statuss = "new"'}, "Did you mean “status”?"),
        ({"actions": ""}, "This field is required."),
        ({"actions": "assign: me"}, "A rule has no “me”"),
        ({"actions": "add_tags: vip\nset_queue: gone"}, "Action 2 (set_queue)"),
        ({"actions": "macro: gone"}, "Action 1 (macro)"),
        ({"on_events": ["rule"]}, "Select a valid choice"),
    ],
)
def test_rule_is_refused_with_a_reason(client, lead, changes, problem):
    answer = send(client, "automationrule_add", **RULE | changes)
    assert problem in answer.content.decode()
    assert not AutomationRule.objects.exists()


def test_rule_is_tried_on_a_ticket_before_it_is_saved(client, lead):
    ticket = opened()
    said = send(client, "automationrule_try", **RULE, try_ticket=ticket.number).content.decode()
    assert "The rule would:" in said
    assert "add the tag vip; give it back to its queue" in said
    changed = RULE | {"condition": 'band >= "low" and tag = "x"'}
    said = send(client, "automationrule_try", **changed, try_ticket=ticket.number)
    assert "would leave this ticket alone" in said.content.decode()
    assert said.content.decode().count("not true") == 1
    wrong = RULE | {"condition": "nonsense"}
    said = send(client, "automationrule_try", **wrong, try_ticket=ticket.number).content.decode()
    assert "The condition ends too early" in said
    for number in ("", "T-1", "99999999999999999999999"):
        said = send(client, "automationrule_try", **RULE, try_ticket=number).content.decode()
        assert "Give the number" in said or "You see no ticket" in said
    ticket.refresh_from_db()
    assert ticket.tags == []


def test_log_tells_what_rules_did_and_could_not_do(client, lead):
    rule = AutomationRule.objects.create(
        name="Broken", on_events=["opened"], actions=[{"do": "set_queue", "queue": "gone"}]
    )
    ticket = opened()
    while process_events():
        pass
    said = page(client, "rulerun_changelist")
    assert "failed" in said
    assert "The queue “gone” is gone." in said
    assert "failed last time" in page(client, "automationrule_changelist")
    assert ticket.number in page(client, "rulerun_change", rule.runs.get().pk)
    found = client.get(reverse("admin:support_rulerun_changelist"), {"q": "T-1"}).content.decode()
    assert "gone” is gone" not in found


def test_webhook_is_added_and_its_secret_shown_once(client, admin):
    answer = send(
        client, "webhookendpoint_add", name="CRM", url="http://localhost:1/", is_active="on"
    )
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in answer.content.decode()
    assert endpoint.created_by == admin
    assert "no-store" in answer["Cache-Control"]
    assert endpoint.secret not in page(client, "webhookendpoint_change", endpoint.pk)
    before = endpoint.secret
    answer = send(client, "webhookendpoint_secret", endpoint.pk)
    endpoint.refresh_from_db()
    assert endpoint.secret != before
    assert endpoint.secret in answer.content.decode()
    assert endpoint.former_secret == before


def test_webhook_that_leads_nowhere_public_is_refused(client, admin, settings):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    answer = send(client, "webhookendpoint_add", name="CRM", url="http://example.com/")
    assert "must begin with https://" in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_webhook_is_tried_switched_on_and_its_deliveries_sent_again(client, admin):
    with other_system() as other:
        endpoint = WebhookEndpoint.objects.create(
            name="CRM", url=other.url, secret=webhooks.new_secret()
        )
        other.answers = [500, 200]
        assert (
            "It did not arrive."
            in send(client, "webhookendpoint_try", endpoint.pk).content.decode()
        )
        assert (
            "It arrived: status 200."
            in send(client, "webhookendpoint_try", endpoint.pk).content.decode()
        )
        opened()
        while process_events():
            pass
        webhooks.send_deliveries()
        delivery = WebhookDelivery.objects.get()
        said = page(client, "webhookdelivery_change", delivery.pk)
        assert "ticket.opened" in said
        assert "Send it to CRM again" in said
        answer = send(client, "webhookdelivery_again", delivery.pk)
        assert "It is sent again in a moment." in answer.content.decode()
        assert webhooks.send_deliveries() == 1
        assert len(other.received) == 4
        WebhookEndpoint.objects.update(is_active=False, failing_since=timezone.now(), failures=10)
        assert "Switched off: it has failed" in page(client, "webhookendpoint_change", endpoint.pk)
        send(client, "webhookendpoint_on", endpoint.pk)
        endpoint.refresh_from_db()
        assert (endpoint.is_active, endpoint.failures) == (True, 0)
    assert "delivered" in page(client, "webhookdelivery_changelist")
    assert "CRM" in page(client, "webhookendpoint_changelist")
