"""What is kept about a person can be given to them, and erased so that only sums are left."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from backoffice.customers.portal import open_session
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, Claim, LedgerEntry
from support.attachments import store_attachment
from support.models import (
    Attachment,
    Draft,
    Inbound,
    IncidentMatch,
    Message,
    PrivacyRequest,
    StaffNotice,
    Survey,
    Ticket,
    UnconfirmedRequest,
    WebhookDelivery,
    WebhookEndpoint,
)
from support.privacy import (
    Person,
    ask_erasure,
    erase_person,
    export_person,
    figures_of,
    finish_erasures,
    person_of,
)
from support.privacy import erasing as erasing_module
from support.tickets import add_note, change_ticket, open_ticket, receive_message, reply
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory
from tests.portal.test_account import member
from tests.support.factories import agent, opened

pytestmark = pytest.mark.django_db
WHY = "Asked by letter on 20 November"
# Each stands where it must be gone from.
SECRETS = ("Lovelace", "ada@example.com", "secretly", "ada.phone@example.com")


@pytest.fixture
def administrator():
    return staff(Role.ADMINISTRATOR)


@pytest.fixture
def ada():
    """A customer with everything that the desk can know of somebody."""
    customer = CustomerFactory(reference="C-ADA", name="Ada Lovelace", email="ada@example.com")
    user = member(customer)
    user.full_name, user.email = "Ada Lovelace", "ada.phone@example.com"
    user.save()
    open_session(customer, created_by="shop")
    ticket = opened(customer=customer, subject="secretly", text="I am secretly Ada Lovelace")
    ann = agent(ticket.queue)
    said = receive_message(ticket, text="secretly more", html="<p>secretly</p>")
    store_attachment("secretly.txt", b"secretly", message=said)
    add_note(ticket, by=ann, text="Ada Lovelace seems nice")
    reply(ticket, by=ann, text="Dear Ada Lovelace", send_at=timezone.now())
    change_ticket(ticket, by=ann, subject="secretly again", reason="Lovelace said so")
    _beside(ticket, said, ann)
    _money(customer)
    Claim.objects.create(
        customer=customer, starts_at=timezone.now() - timedelta(hours=1), ends_at=timezone.now(),
        text="secretly failed", note="Lovelace was right", state="settled", outcome="accepted",
        key="1",
    )  # fmt: skip
    Survey.objects.create(
        kind="csat", ticket=ticket, customer=customer, token_hash="1", score=4,
        comment="secretly", address="ada@example.com",
    )  # fmt: skip
    UnconfirmedRequest.objects.create(
        key="00000000-0000-4000-8000-000000000000", token_hash="2", address="ada@example.com",
        subject="secretly", text="secretly", language="en",
    )  # fmt: skip
    return customer


def _beside(ticket, said, ann):
    """What repeats the ticket's words elsewhere."""
    draft = Draft.objects.create(ticket=ticket, user=ann, text="Dear Ada Lovelace")
    store_attachment("draft-secretly.txt", b"secretly", draft=draft)
    Inbound.objects.create(
        channel="email", external_id="<secretly@example.com>", raw=b"From: ada@example.com",
        ticket=ticket, message=said, state="handled",
    )  # fmt: skip
    Inbound.objects.create(
        channel="email", external_id="2", raw=b"From: ADA@example.com\xff\\", state="failed"
    )
    IncidentMatch.objects.create(
        ticket=ticket, incident=IncidentFactory(), state="proposed",
        evidence={"parts": [{"why": "words", "points": 100, "words": ["secretly"]}]},
    )  # fmt: skip
    StaffNotice.objects.create(user=ann, ticket=ticket, text="secretly", next_at=timezone.now())
    endpoint = WebhookEndpoint.objects.create(name="shop", url="https://example.com/")
    WebhookDelivery.objects.create(
        endpoint=endpoint, event=ticket.events.first(), payload={"subject": "secretly"},
        next_at=timezone.now(),
    )  # fmt: skip
    LogEntry.objects.log_actions(ann.pk, [ticket], 2, "secretly", single_object=True)
    Ticket.objects.filter(pk=ticket.pk).update(score_parts={"plan": 1, "words": ["secretly"]})


def _money(customer):
    award = AwardFactory(
        subscription=SubscriptionFactory(customer=customer),
        batch=BatchFactory(incident=IncidentFactory()),
        state="issued",
        amount_minor=4990,
    )
    record_entries(
        [
            NewEntry(
                kind="credit", customer_id=customer.pk, award_id=award.pk, amount_minor=4990,
                currency="EUR", booked_at=timezone.now(),
            )
        ]
    )  # fmt: skip


def everything():
    """All text that the database holds, table by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - its own names
            for (row,) in cursor.fetchall():
                yield table, row


def left_over():
    """Where a secret still stands."""
    return sorted(
        {
            (table, secret)
            for table, row in everything()
            for secret in SECRETS
            if secret.lower() in row.lower() or secret.encode().hex() in row.lower()
        }
    )


def test_the_stage_is_full_of_secrets(ada):
    assert {secret for _, secret in left_over()} == set(SECRETS)
    assert len({table for table, _ in left_over()}) > 10


def test_erasing_leaves_no_word_and_no_address_anywhere(ada, administrator, tmp_path):
    files = [Attachment.objects.get(name__startswith=name).file for name in ("secret", "draft")]
    paths = [file.path for file in files]
    record = erase_person(Person(customer=ada), by=administrator, reason=WHY)
    assert left_over() == []
    assert [path for path in paths if _exists(path)] == []
    assert (record.by, record.reason) == (administrator, WHY)
    assert record.finished_at is not None


def _exists(path):
    from pathlib import Path

    return Path(path).exists()


def test_erasing_keeps_money_and_what_happened(ada, administrator):
    ticket = Ticket.objects.get()
    events = ticket.events.count()
    erase_person(Person(customer=ada), by=administrator, reason=WHY)
    ada.refresh_from_db()
    assert (ada.reference, ada.name, ada.email) == ("C-ADA", "(erased)", "")
    assert Award.objects.get().amount_minor == 4990
    assert LedgerEntry.objects.get().customer == ada
    assert Survey.objects.get().score == 4
    ticket.refresh_from_db()
    assert (ticket.customer, ticket.status, ticket.subject) == (ada, "closed", "(erased)")
    assert ticket.events.count() == events + 2
    erased = ticket.events.get(kind="erased")
    assert (erased.by, erased.data) == (
        administrator,
        {"privacy_request": PrivacyRequest.objects.get().pk},
    )


def test_answer_that_waits_is_not_sent(ada, administrator):
    erase_person(Person(customer=ada), by=administrator, reason=WHY)
    assert Message.objects.get(direction="out").delivery == "cancelled"


def test_search_finds_nothing_of_it(ada, administrator):
    assert Message.objects.filter(search="secretly").exists()
    erase_person(Person(customer=ada), by=administrator, reason=WHY)
    assert not Message.objects.filter(search="secretly").exists()
    assert not Ticket.objects.filter(search="secretly").exists()


def test_user_can_no_longer_sign_in(client, ada, administrator):
    user = User.objects.get(email="ada.phone@example.com")
    client.force_login(user)
    assert client.get("/account/").status_code == 200
    erase_person(Person(customer=ada), by=administrator, reason=WHY)
    assert client.get("/account/").status_code == 302
    user.refresh_from_db()
    assert (user.email, user.is_active) == (f"erased-{user.pk}@erased.invalid", False)


def test_others_keep_theirs(ada, administrator):
    other = opened(customer=CustomerFactory(email="eve@example.com"), text="Eve's own words")
    erase_person(Person(customer=ada), by=administrator, reason=WHY)
    other.refresh_from_db()
    assert (other.subject, other.status) == ("No internet", "new")
    assert other.messages.get().text == "Eve's own words"


def test_erasing_twice_changes_nothing(ada, administrator):
    person = Person(customer=ada)
    erase_person(person, by=administrator, reason=WHY)
    events = Ticket.objects.get().events.count()
    record = erase_person(person, by=administrator, reason=WHY)
    assert Ticket.objects.get().events.count() == events
    assert (record.figures["files"], record.figures["users"]) == (0, 0)


def test_what_was_interrupted_is_finished_by_beat(ada, administrator, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(erasing_module, "empty_raw_mail", _killed)
        with pytest.raises(KeyboardInterrupt):
            erase_person(Person(customer=ada), by=administrator, reason=WHY)
    assert left_over() != []
    again = ask_erasure(Person(customer=ada), by=administrator, reason="once more")
    assert again.reason == WHY
    assert finish_erasures() == 1
    assert left_over() == []
    assert Ticket.objects.get().events.filter(kind="erased").count() == 1
    assert finish_erasures() == 0


def _killed(*_args):
    raise KeyboardInterrupt


# --- people of whom we know an address only ------------------------------------------------------


def test_address_is_erased_from_own_tickets_and_from_those_of_others(administrator):
    own = open_ticket(
        subject="Hello", text="It is I.", channel="email", requester_address="bob@example.org"
    )
    other = opened()
    receive_message(other, text="Bob adds.", author_address="bob@example.org", author_name="Bob")
    copied = receive_message(other, text="Copy to Bob.", cc=["Bob@example.org", "al@example.org"])
    Message.objects.filter(pk=copied.pk).update(cc=["bob@example.org", "al@example.org"])
    person = person_of(address=" Bob@Example.org")
    assert (figures_of(person).tickets, figures_of(person).messages) == (1, 2)
    record = erase_person(person, by=administrator, reason=WHY)
    assert [table for table, row in everything() if "bob@" in row.lower()] == []
    own.refresh_from_db()
    assert own.subject == "(erased)"
    texts = list(other.messages.order_by("id").values_list("text", flat=True))
    assert texts == ["Nothing works since two.", "(erased)", "Copy to Bob."]
    copied.refresh_from_db()
    assert copied.cc == ["al@example.org"]
    assert (record.address, len(record.address_hash)) == ("", 64)


def test_person_is_the_customer_where_one_has_the_address(ada):
    assert person_of(address="ADA@example.com") == Person(customer=ada)
    CustomerFactory(email="Ada@example.com")
    with pytest.raises(ValidationError, match="Several customers"):
        person_of(address="ada@example.com")


def test_colleagues_are_no_persons_to_erase(administrator):
    with pytest.raises(ValidationError, match="colleague"):
        person_of(address=administrator.email)
    with pytest.raises(ValidationError, match="Give an e-mail address"):
        person_of(address="nobody")


# --- export --------------------------------------------------------------------------------------


def test_export_holds_all_of_it(ada, administrator):
    package = io.BytesIO()
    record = export_person(Person(customer=ada), by=administrator, into=package)
    with zipfile.ZipFile(package) as opened_package:
        told = json.loads(opened_package.read("person.json"))
        names = opened_package.namelist()
        contents = {opened_package.read(name) for name in names if name.startswith("files/")}
    assert told["customer"]["email"] == "ada@example.com"
    assert told["addresses"] == ["ada.phone@example.com", "ada@example.com"]
    assert [ticket["subject"] for ticket in told["tickets"]] == ["secretly again"]
    texts = [message["text"] for message in told["messages"]]
    assert texts[0] == "I am secretly Ada Lovelace"
    assert len(texts) == 4
    assert [award["amount_minor"] for award in told["awards"]] == [4990]
    assert [entry["amount_minor"] for entry in told["ledger"]] == [4990]
    assert told["surveys"][0]["comment"] == "secretly"
    assert [claim["text"] for claim in told["claims"]] == ["secretly failed"]
    assert contents == {b"secretly"}
    assert len([name for name in names if name.startswith("mails/")]) == 1
    assert (record.kind, record.by) == ("export", administrator)
    assert record.figures["tickets"] == 1


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.SUPPORT_LEAD, Role.AUDITOR])
def test_others_may_neither_export_nor_erase(ada, role):
    person, other = Person(customer=ada), staff(role)
    with pytest.raises(PermissionDenied):
        export_person(person, by=other, into=io.BytesIO())
    with pytest.raises(PermissionDenied):
        erase_person(person, by=other, reason=WHY)
    assert PrivacyRequest.objects.count() == 0


def test_erasing_needs_a_reason(ada, administrator):
    with pytest.raises(ValidationError, match="Say why"):
        erase_person(Person(customer=ada), by=administrator, reason="  ")


# --- the doors -----------------------------------------------------------------------------------


def test_page_says_what_is_erased_and_kept_before_it_is(client, ada, administrator):
    client.force_login(administrator)
    page = reverse("admin:support_privacyrequest_person") + f"?customer={ada.pk}"
    assert page in client.get(reverse("admin:customers_customer_change", args=[ada.pk])).text
    text = " ".join(client.get(page).text.split())
    assert "addresses in 1 ticket, 4 messages and 2 files, closes what is open" in text
    assert "Keeps 1 award and 1 ledger entry, without a name." in text
    erase = reverse("admin:support_privacyrequest_erase")
    client.post(erase, {"customer": ada.pk, "reason": ""})
    assert PrivacyRequest.objects.count() == 0
    client.post(erase, {"customer": ada.pk, "reason": WHY})
    assert "being done" in client.get(page).text
    finish_erasures()
    assert left_over() == []
    assert WHY in client.get(page).text


def test_export_comes_as_a_download(client, ada, administrator):
    client.force_login(administrator)
    response = client.post(reverse("admin:support_privacyrequest_export"), {"customer": ada.pk})
    assert response["Content-Disposition"].startswith('attachment; filename="person-')
    assert b"".join(response.streaming_content).startswith(b"PK")


def test_commands_count_first_and_erase_when_told(ada, capsys, tmp_path):
    call_command("export_person", "--customer", "C-ADA", str(tmp_path / "ada.zip"))
    assert zipfile.is_zipfile(tmp_path / "ada.zip")
    call_command("erase_person", "--customer", "C-ADA")
    assert "Would erase 1 tickets, 4 messages, 2 files; keeps 1 awards" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--reason"):
        call_command("erase_person", "--customer", "C-ADA", "--yes")
    call_command("erase_person", "--customer", "C-ADA", "--yes", "--reason", WHY)
    assert left_over() == []
    with pytest.raises(CommandError, match="There is no customer"):
        call_command("erase_person", "--customer", "C-NOBODY")
