"""Macros as leads write and try them."""

import pytest
from django.urls import reverse

from backoffice.accounts.roles import Role
from support.models import Macro, Queue
from tests.compensation.screens import signed_in, words
from tests.compensation.stories import submitted_batch
from tests.support.factories import TicketFactory, agent

pytestmark = pytest.mark.django_db
ADD = "admin:support_macro_add"


@pytest.fixture
def lead():
    return signed_in(Role.SUPPORT_LEAD, full_name="Lea Voss")


def typed(**fields):
    return {
        "name": "Credit", "kind": "public", "condition": "", "position": "0", "is_active": "on",
        "text_en": "You get {{ credit.amount }}.", "text_de": "", "text_ru": "", "actions": "",
    } | fields  # fmt: skip


def test_macro_is_written_line_by_line(lead):
    client, _person = lead
    queue = Queue.objects.get(is_default=True)
    answer = client.post(
        reverse(ADD),
        typed(
            text_de="Sie erhalten {{ credit.amount }}.\r\nViele Grüße",
            actions="add_tags: outage, vip\nset_status: solved\nassign: nobody\n"
            "notify: assignee | Done: see above\n",
            condition='language = "de"',
            queues=[queue.pk],
        ),
    )
    assert answer.status_code == 302, words(answer)
    made = Macro.objects.get()
    assert made.texts == {
        "en": "You get {{ credit.amount }}.",
        "de": "Sie erhalten {{ credit.amount }}.\nViele Grüße",
    }
    assert made.actions == [
        {"do": "add_tags", "tags": ["outage", "vip"]},
        {"do": "set_status", "status": "solved"},
        {"do": "assign", "to": ""},
        {"do": "notify", "users": ["assignee"], "text": "Done: see above"},
    ]
    page = client.get(reverse("admin:support_macro_change", args=[made.pk]))
    html = page.content.decode()
    assert "add_tags: outage, vip\nset_status: solved\nassign: nobody\nnotify: assignee | Done" in (
        html
    )
    again = client.post(
        reverse("admin:support_macro_change", args=[made.pk]),
        typed(actions=made_lines(html), queues=[queue.pk]),
    )
    assert again.status_code == 302
    unchanged = made.actions
    made.refresh_from_db()
    assert made.actions == unchanged
    listed = words(client.get(reverse("admin:support_macro_changelist")))
    assert "add the tags outage and vip" in listed


def made_lines(html):
    return html.partition('name="actions"')[2].partition(">")[2].partition("</textarea>")[0].strip()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text_de": "Hallo\n {{ customer.nam }}"},
         "German, line 2, column 2: there is no “customer.nam”. Did you mean “customer.name”?"),
        ({"actions": "fly: away"}, "Action 1 (fly): There is no such action here."),
        ({"actions": "macro: Other"}, "Action 1 (macro): There is no such action here."),
        ({"actions": "solved"}, "“solved”: write it like add_tags: outage."),
        ({"actions": "set_status: done"}, "Action 1 (set_status)"),
        ({"condition": "colour = 1"}, "There is no field “colour” here."),
        ({"text_en": "", "actions": " "}, "It says nothing and does nothing"),
        ({"kind": "loud"}, "Select a valid choice"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(lead, fields, said):
    client, _person = lead
    assert said in words(client.post(reverse(ADD), typed(**fields)))
    assert not Macro.objects.exists()


class TestPreview:
    URL = "admin:support_macro_preview"

    def tried(self, lead, ticket, **fields):
        client, _person = lead
        number = getattr(ticket, "number", ticket)
        return words(client.post(reverse(self.URL), typed(preview_ticket=number, **fields)))

    def test_shows_what_a_ticket_would_get(self, lead):
        ticket = TicketFactory.create(language="de", customer__name="Ada Lovelace")
        page = self.tried(
            lead,
            ticket,
            text_en="Dear {{ customer.first_name }}, {{ agent.name }}",
            actions="add_tags: outage",
        )
        assert "Dear Ada, Lea Voss" in page
        assert "English – the macro has no text in the ticket" in page
        assert "Then: add the tag outage." in page

    def test_shows_what_it_refuses_to_promise(self, lead):
        batch = submitted_batch()
        ticket = TicketFactory.create(customer=batch.awards.get().customer, incident=batch.incident)
        assert (
            "{{ credit.amount }}: Credit of EUR 49.90 is not approved yet: it waits for finance in "
            f"batch {batch.number}."
        ) in self.tried(lead, ticket)

    def test_shows_mistakes_instead(self, lead):
        page = self.tried(lead, TicketFactory.create(), text_en="{{ customer }}")
        assert "is no variable" in page

    def test_needs_a_ticket_that_one_may_see(self, lead):
        assert "Give the number of a ticket" in self.tried(lead, "")
        assert "You see no ticket T-1." in self.tried(lead, "T-1")

    def test_is_for_those_who_write_macros(self, client):
        client.force_login(agent())
        assert client.post(reverse(self.URL), typed()).status_code == 403
        assert client.get(reverse("admin:support_macro_changelist")).status_code == 200


def test_page_lists_the_variables(lead):
    client, _person = lead
    page = words(client.get(reverse(ADD)))
    assert "{{ credit.amount }} what the incident gives them, once approved" in page
    assert '{{ customer.first_name | default: "there" }}' in page
