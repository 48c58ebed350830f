"""Awards, ledger, thresholds and the switch, as a person sees them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice import listing
from backoffice.accounts.roles import Role
from compensation.ledger import NewEntry, record_entries
from compensation.models import ApprovalThreshold, Award, Batch, IssuingControl, LedgerEntry
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.compensation.screens import signed_in, words
from tests.compensation.stories import approved_batch, submitted_batch

pytestmark = pytest.mark.django_db

AWARDS = "/admin/compensation/award/"
LEDGER = "/admin/compensation/ledgerentry/"
SWITCH = "/admin/compensation/issuingcontrol/"
THRESHOLDS = "/admin/compensation/approvalthreshold/"


@pytest.fixture
def finance():
    client, _person = signed_in(Role.FINANCE, full_name="Claudia Roth")
    return client


def listed(client, **query):
    """The numbers of the awards on the page, as shown."""
    page = words(client.get(AWARDS, query))
    return [f"#{award.pk}" in page for award in Award.objects.order_by("id")]


def test_awards_are_found_by_reference_stripe_id_and_number(finance):
    first, second = AwardFactory.create_batch(2)
    assert listed(finance, q=first.customer.reference) == [True, False]
    assert listed(finance, q=second.customer.stripe_customer_id) == [False, True]
    assert listed(finance, q=f"#{second.pk}") == [False, True]
    assert listed(finance, q="nobody") == [False, False]


def test_awards_are_narrowed(finance):
    first = AwardFactory(state="failed", error_code="x", error_message="No such customer")
    second = AwardFactory(
        currency="USD", state="excluded", exclusion="by_hand", exclusion_reason="Barter"
    )
    assert listed(finance, state__exact="failed") == [True, False]
    assert listed(finance, batch=second.batch.number) == [False, True]
    assert listed(finance, currency="usd") == [False, True]
    assert listed(finance, exclusion__exact="by_hand") == [False, True]
    assert listed(finance, benefit__exact="credit") == [True, True]
    page = words(finance.get(AWARDS))
    assert "No such customer" in page
    assert "Barter" in page
    assert str(first.batch) in page


def test_awards_list_costs_the_same_for_one_and_three(finance):
    counts = []
    for more in (1, 2):
        AwardFactory.create_batch(more)
        with CaptureQueriesContext(connection) as captured:
            finance.get(AWARDS)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_awards_are_counted_up_to_a_bound(finance, monkeypatch):
    monkeypatch.setattr(listing, "COUNTED", 2)
    AwardFactory.create_batch(3)
    assert "The newest 2 awards: filter or search to see older ones" in words(finance.get(AWARDS))


def test_award_page_tells_its_way(finance):
    batch = submitted_batch()
    award = batch.awards.get()
    Award.objects.filter(pk=award.pk).update(
        state="issued", issued_at=timezone.now(), stripe_id="cbtxn_7", idempotency_key="amends-7"
    )
    award.refresh_from_db()
    record_entries(
        [
            NewEntry(
                kind=LedgerEntry.Kind.CREDIT,
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=4990,
                currency="EUR",
                booked_at=award.issued_at,
            )
        ]
    )
    page = words(finance.get(reverse("admin:compensation_award_change", args=[award.pk])))
    assert f"EUR 49.90 for {award.customer}" in page
    assert "Submitted with its batch" in page
    assert "amends-7" in page
    assert "Issued cbtxn_7" in page
    assert "credit EUR 49.90" in page


def test_failed_award_tells_why_and_who_left_one_out_is_kept(finance):
    award = AwardFactory(batch=BatchFactory(state="priced"))
    url = reverse("admin:compensation_award_exclude", args=[award.pk])
    finance.post(url, {"reason": "Pays by barter"})
    page = words(finance.get(reverse("admin:compensation_award_change", args=[award.pk])))
    assert "left out by a person: Pays by barter (Claudia Roth)" in page
    assert "Excluded" not in page
    assert "Left out Claudia Roth: Pays by barter" in page


def test_single_failed_award_is_sent_again(finance):
    batch = approved_batch(awards=2)
    Batch.objects.filter(pk=batch.pk).update(state="issuing", issuing_started_at=timezone.now())
    award = batch.awards.first()
    Award.objects.filter(pk=award.pk).update(state="failed", error_message="No such customer")
    url = reverse("admin:compensation_award_change", args=[award.pk])
    assert f"Send EUR 49.90 for {award.customer} again?" in words(finance.get(url))
    retry = reverse("admin:compensation_award_retry", args=[award.pk])
    assert "It is sent again." in words(finance.post(retry, follow=True))
    award.refresh_from_db()
    assert award.state == "approved"
    again = words(finance.post(retry, follow=True))
    assert "Only a failed award can be sent again" in again


def test_nothing_of_it_has_a_form(finance):
    award = AwardFactory()
    for model, pk in [("award", award.pk), ("batch", award.batch_id)]:
        base = f"/admin/compensation/{model}/"
        assert finance.get(f"{base}add/").status_code == 403
        assert finance.post(f"{base}{pk}/delete/", {"post": "yes"}).status_code == 403
        finance.post(f"{base}{pk}/change/", {"state": "issued"})
    award.refresh_from_db()
    assert (award.state, award.batch.state) == ("proposed", "draft")


def test_ledger_is_read_newest_first(finance):
    award = AwardFactory()
    entry = {"customer_id": award.customer_id, "currency": "EUR", "booked_at": timezone.now()}
    record_entries(
        [
            NewEntry(kind="credit", award_id=award.pk, amount_minor=4990, **entry),
            NewEntry(kind="consumed", amount_minor=-1000, note="Invoice 7", **entry),
        ]
    )
    page = words(finance.get(LEDGER))
    assert page.index("-EUR 10.00") < page.index("EUR 49.90")
    page = words(finance.get(LEDGER, {"q": f"#{award.pk}"}))
    assert "EUR 49.90" in page
    assert "Invoice 7" not in page
    last = LedgerEntry.objects.first()
    assert last.hash in words(finance.get(f"{LEDGER}{last.pk}/change/"))
    assert finance.get(f"{LEDGER}add/").status_code == 403


@pytest.mark.parametrize("name", ["batch", "currency"])
def test_filter_survives_what_no_database_takes(finance, name):
    AwardFactory()
    assert finance.get("/admin/compensation/award/", {name: "x\0y"}).status_code == 200


def test_ledger_names_no_amount_where_there_is_none(finance):
    award = AwardFactory()
    entry = {"customer_id": award.customer_id, "currency": "EUR", "booked_at": timezone.now()}
    record_entries([NewEntry(kind="trial", award_id=award.pk, **entry)])
    record_entries([NewEntry(kind="credit", award_id=award.pk, amount_minor=4990, **entry)])
    assert [str(each) for each in LedgerEntry.objects.order_by("id")] == [
        "trial extended",
        "credit EUR 49.90",
    ]
    assert "EUR 0.00" not in words(finance.get(LEDGER))


def test_empty_list_says_how_to_begin(finance):
    page = words(finance.get(THRESHOLDS))
    assert "Nothing here yet. One approval is enough for every batch." in page
    page = words(finance.get(LEDGER, {"q": "nobody"}))
    assert "Nothing fits the search and the filters. Show all" in page


def test_switch_stops_everything_and_every_page_says_so(finance):
    page = words(finance.get(SWITCH))
    assert "Approved awards go to Stripe as they come." in page
    page = words(finance.post(f"{SWITCH}stop/", {"reason": "Wrong prices"}, follow=True))
    assert "Nothing goes to Stripe: Wrong prices" in page
    control = IssuingControl.objects.get()
    assert (control.is_stopped, control.reason, str(control.changed_by)) == (
        True,
        "Wrong prices",
        "Claudia Roth",
    )
    for url in ("/admin/", AWARDS):
        page = words(finance.get(url))
        assert "All issuing is stopped. By Claudia Roth" in page
        assert "Look and resume …" in page
    page = words(finance.post(f"{SWITCH}resume/", follow=True))
    assert "Stopped : Wrong prices Claudia Roth" in page
    assert "All issuing is stopped." not in words(finance.get("/admin/"))


def test_switch_is_seen_but_not_turned_by_readers():
    client, _person = signed_in(Role.AUDITOR)
    assert "Your role may see the switch, not turn it." in words(client.get(SWITCH))
    for name in ("stop", "resume"):
        assert client.post(f"{SWITCH}{name}/").status_code == 403
    assert not IssuingControl.objects.filter(is_stopped=True).exists()
    outsider, _person = signed_in(Role.COMMUNICATIONS)
    assert outsider.get(SWITCH).status_code == 403
    IssuingControl.objects.update_or_create(pk=1, defaults={"is_stopped": True})
    assert "All issuing is stopped." not in words(outsider.get("/admin/"))


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("eur", "10000", 1_000_000), ("EUR", "10000.50", 1_000_050), ("JPY", "10000", 10_000)],
)
def test_threshold_is_written_in_major_units(currency, amount, minor):
    client, _person = signed_in(Role.ADMINISTRATOR)
    client.post(f"{THRESHOLDS}add/", {"currency": currency, "amount": amount})
    threshold = ApprovalThreshold.objects.get()
    assert (threshold.currency, threshold.amount_minor) == (currency.upper(), minor)
    page = client.get(f"{THRESHOLDS}{threshold.pk}/change/").content.decode()
    assert f'value="{amount}' in page


@pytest.mark.parametrize(
    ("currency", "amount", "said"),
    [
        ("EUR", "much", "“much” is not an amount"),
        ("EUR", "-1", "must not be negative"),
        ("ABC", "1", "“ABC” is not a currency"),
    ],
)
def test_threshold_that_makes_no_sense_is_refused(currency, amount, said):
    client, _person = signed_in(Role.ADMINISTRATOR)
    page = words(client.post(f"{THRESHOLDS}add/", {"currency": currency, "amount": amount}))
    assert said in page
    assert not ApprovalThreshold.objects.exists()
