import csv
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from compensation import books
from compensation.books import LAYOUTS, ExportError, Month, export
from compensation.ledger import NewEntry, record_entries
from compensation.models import LedgerEntry
from tests.accounts.factories import UserFactory
from tests.compensation.factories import AwardFactory
from tests.customers.factories import CustomerFactory

OCTOBER = Month(2026, 10)
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _berlin(settings):
    settings.BOOKS_TIME_ZONE = "Europe/Berlin"
    settings.BOOKS_ACCOUNTS = {"compensation": "4700", "credits": "3500", "receivables": "1200"}
    settings.BOOKS_DATEV_CONSULTANT, settings.BOOKS_DATEV_CLIENT = 29098, 55003


def book(customer, amount_minor, **fields):
    entry = {"kind": "credit", "currency": "EUR", "booked_at": NOON, **fields}
    (row,) = record_entries([NewEntry(customer_id=customer.pk, amount_minor=amount_minor, **entry)])
    return row


def rows(layout, month=OCTOBER, **more):
    """The file, parsed; a dictionary a line."""
    return list(csv.DictReader(export(month, LAYOUTS[layout], **more).lines))


def datev_lines(**more):
    text = "".join(export(OCTOBER, LAYOUTS["datev"], **more).lines)
    assert text.endswith("\r\n")
    return list(csv.reader(text.splitlines(), delimiter=";"))


@pytest.fixture
def month():
    """One of everything that October can have, and something on either side of it."""
    award = AwardFactory(subscription__customer__reference="C-1")
    goodwill = AwardFactory(
        source="goodwill", batch=None, incident=None, origin="T-9", reason="sorry",
        given_by=UserFactory(),
    )  # fmt: skip
    customer = award.customer
    book(customer, 1, booked_at=datetime(2026, 9, 30, 21, 59, 59, tzinfo=UTC))
    made = [
        # midnight in Berlin, which is at summer time
        book(customer, 4990, award_id=award.pk, booked_at=datetime(2026, 9, 30, 22, tzinfo=UTC)),
        book(customer, -1990, kind="consumed", award_id=award.pk, note="R-7", stripe_id="cbtxn_2"),
        book(customer, 90, kind="consumed", award_id=award.pk, note="R-7"),  # a voided invoice
        book(customer, -3090, kind="reversal", award_id=award.pk),
        book(goodwill.customer, 1000, award_id=goodwill.pk),
        book(customer, 700, currency="USD"),
        # and back at winter time
        book(customer, 5, booked_at=datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)),
    ]
    book(customer, 0, kind="trial")
    book(customer, 2, booked_at=datetime(2026, 10, 31, 23, tzinfo=UTC))
    return made


@pytest.mark.django_db
def test_general_layout(month):
    lines = rows("general")
    assert [(line["debit_account"], line["credit_account"], line["amount"]) for line in lines] == [
        ("4700", "3500", "49.90"),
        ("3500", "1200", "19.90"),
        ("1200", "3500", "0.90"),
        ("3500", "4700", "30.90"),
        ("4700", "3500", "10.00"),
        ("4700", "3500", "7.00"),
        ("4700", "3500", "0.05"),
    ]
    first, second = lines[:2]
    incident = month[0].award.incident.number
    assert (first["date"], lines[-1]["date"]) == ("2026-10-01", "2026-10-31")
    assert (first["voucher"], first["customer"], first["incident"], first["text"]) == (
        f"AM{month[0].pk}",
        "C-1",
        incident,
        f"Compensation credit {incident}",
    )
    assert (second["text"], second["stripe_id"]) == (
        f"Credit used on invoice R-7 {incident}",
        "cbtxn_2",
    )
    assert lines[4]["text"] == "Compensation credit T-9"


@pytest.mark.django_db
def test_goodwill_may_have_an_account_of_its_own(month, settings):
    settings.BOOKS_ACCOUNTS = settings.BOOKS_ACCOUNTS | {"goodwill": "4720"}
    assert [line["debit_account"] for line in rows("general")].count("4720") == 1


@pytest.mark.django_db
def test_journal_debits_equal_credits_and_the_ledger(month):
    sums, accounts = Counter(), Counter()
    for line in rows("journal"):
        debit, credit = (Decimal(line[side] or 0) for side in ("debit", "credit"))
        sums[line["currency"], "debit"] += debit
        sums[line["currency"], "credit"] += credit
        accounts[line["currency"], line["account"]] += credit - debit
    assert sums["EUR", "debit"] == sums["EUR", "credit"] == Decimal("111.65")
    assert sums["USD", "debit"] == sums["USD", "credit"] == Decimal("7.00")
    # what customers hold moved by exactly the ledger's sum
    for currency in ("EUR", "USD"):
        booked = [each for each in books.totals(OCTOBER) if each.currency == currency]
        moved = sum(each.amount_minor for each in booked)
        assert accounts[currency, "3500"] == Decimal(moved) / 100


@pytest.mark.django_db
def test_totals_are_the_ledgers(month):
    found = {
        (each.currency, each.kind): (each.entries, each.amount_minor)
        for each in books.totals(OCTOBER)
    }
    assert found == {
        ("EUR", "credit"): (3, 5995),
        ("EUR", "consumed"): (2, -1900),
        ("EUR", "reversal"): (1, -3090),
        ("USD", "credit"): (1, 700),
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["credit", "consumed", "reversal"]),
            st.integers(-(10**9), 10**9).filter(bool),
            st.sampled_from(["EUR", "USD", "JPY", "KWD"]),
            st.datetimes(datetime(2026, 9, 28), datetime(2026, 11, 3)),  # noqa: DTZ001 - hypothesis wants it naive
        ),
        max_size=8,
    )
)
@pytest.mark.django_db
def test_every_layout_sums_to_the_ledger(made):
    customer = CustomerFactory()
    before = LedgerEntry.objects.count()
    record_entries(
        [
            NewEntry(
                kind=kind, customer_id=customer.pk, amount_minor=amount, currency=currency,
                booked_at=at.replace(tzinfo=UTC),
            )
            for kind, amount, currency, at in made
        ]
    )  # fmt: skip
    assert LedgerEntry.objects.count() == before + len(made)
    moved = Counter()
    for month in (Month(2026, 9), OCTOBER, Month(2026, 11)):
        for each in books.postings(books.entries_of(month)):
            assert each.amount_minor > 0
            assert Month(each.day.year, each.day.month) == month
            moved[each.currency] += each.amount_minor * (1 if each.credit == "3500" else -1)
    ledger = Counter()
    for entry in LedgerEntry.objects.all():
        ledger[entry.currency] += entry.amount_minor
    assert moved == ledger


@pytest.mark.django_db
def test_datev_batch(month):
    header, captions, *lines = datev_lines()
    assert header[:5] == ["EXTF", "700", "21", "Buchungsstapel", "13"]
    assert header[10:16] == ["29098", "55003", "20260101", "4", "20261001", "20261031"]
    assert (header[20], header[21], len(header)) == ("0", "EUR", 31)
    assert (len(captions), captions[:2]) == (
        125,
        ["Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen"],
    )
    assert {len(line) for line in lines} == {125}
    assert [[*line[:3], *line[6:8], line[9]] for line in lines[:2]] == [
        ["49,90", "S", "EUR", "4700", "3500", "0110"],
        ["19,90", "S", "EUR", "3500", "1200", "1510"],
    ]
    assert lines[0][10] == f"AM{month[0].pk}"
    assert lines[0][20:24] == ["Kunde", "C-1", "Störung", month[0].award.incident.number]
    assert {line[2] for line in lines} == {"EUR"}
    assert len(lines) == 6


@pytest.mark.django_db
def test_datev_batch_is_typed_and_of_its_character_set(month):
    customer = CustomerFactory(reference='=1+1;"Łódź"\n')
    book(customer, 100)
    file = export(OCTOBER, LAYOUTS["datev"])
    raw = "".join(file.lines).encode(file.encoding)
    last = raw.decode("cp1252").split("\r\n")[-2]
    assert last.startswith('1,00;"S";"EUR";;;"";4700;3500;"";1510;"AM')
    assert ';"Kunde";"=1+1;""?ód?"" "' in last
    assert file.name == "EXTF_Amends_2026-10_EUR.csv"


@pytest.mark.django_db
def test_datev_in_parts(month, monkeypatch):
    monkeypatch.setitem(LAYOUTS, "datev", replace(LAYOUTS["datev"], most=4))
    assert books.parts_of(OCTOBER, LAYOUTS["datev"]) == 2
    first, second = datev_lines(part=1)[2:], datev_lines(part=2)[2:]
    assert (len(first), len(second)) == (4, 2)
    assert export(OCTOBER, LAYOUTS["datev"], part=2).name == "EXTF_Amends_2026-10_EUR_2.csv"
    with pytest.raises(ExportError, match="no part 3"):
        export(OCTOBER, LAYOUTS["datev"], part=3)


@pytest.mark.django_db
def test_datev_fiscal_year_begins_when_it_does(settings):
    settings.BOOKS_FISCAL_YEAR_BEGINS = 7
    assert datev_lines()[0][12] == "20260701"
    first = next(export(Month(2026, 6), LAYOUTS["datev"]).lines)
    assert first.split(";")[12] == "20250701"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("BOOKS_DATEV_CLIENT", 0, "BOOKS_DATEV_CLIENT"),
        ("BOOKS_ACCOUNTS", {"credits": "AB"}, "account for credits"),
        ("BOOKS_CURRENCY", "KWD", "two decimals"),
    ],
)
@pytest.mark.django_db
def test_datev_refuses_what_it_cannot_say(settings, setting, value, words):
    setattr(settings, setting, value)
    with pytest.raises(ExportError, match=words):
        export(OCTOBER, LAYOUTS["datev"])


@pytest.mark.django_db
@pytest.mark.parametrize("layout", ["general", "journal"])
def test_no_cell_runs_as_a_formula(layout):
    customer = CustomerFactory(reference="=HYPERLINK(0)")
    book(customer, -5, kind="consumed", note="+1")
    for line in rows(layout):
        assert line["customer"] == "'=HYPERLINK(0)"
        assert all(not cell.startswith(("=", "+", "-", "@")) for cell in line.values())


@pytest.mark.django_db
@pytest.mark.parametrize("layout", ["general", "datev"])
def test_export_reads_in_one_query_whatever_the_month(layout):
    customer = CustomerFactory()
    counts = []
    for _ in range(2):
        book(customer, 100)
        with CaptureQueriesContext(connection) as queries:
            list(export(OCTOBER, LAYOUTS[layout]).lines)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 2


def test_months():
    assert Month.parse(" 2026-12 ").next == Month(2027, 1)
    assert (OCTOBER.first_day, OCTOBER.last_day) == (date(2026, 10, 1), date(2026, 10, 31))
    assert OCTOBER.end - OCTOBER.start == timedelta(days=31, hours=1)  # summer time ends
    for text in ("", "2026-13", "2026-1", "10/2026", "0000-01"):
        with pytest.raises(ValueError, match="not a month"):
            Month.parse(text)


@pytest.mark.django_db
def test_months_with_entries_span_them():
    assert books.months_with_entries() == []
    customer = CustomerFactory()
    book(customer, 1, booked_at=datetime(2025, 12, 31, 23, 30, tzinfo=UTC))  # January in Berlin
    book(customer, 1, booked_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert [str(month) for month in books.months_with_entries()] == [
        "2026-03",
        "2026-02",
        "2026-01",
    ]


@pytest.mark.django_db
def test_command_writes_the_month_and_tells_its_sums(month, tmp_path):
    out, told = StringIO(), StringIO()
    call_command("export_ledger", "2026-10", stdout=out, stderr=told)
    assert out.getvalue() == "".join(export(OCTOBER, LAYOUTS["general"]).lines)
    assert "2026-10 credit: 3 entries, EUR 59.95" in told.getvalue()
    told = StringIO()
    call_command("export_ledger", "2026-10", "--layout=datev", "--directory", tmp_path, stderr=told)
    assert "NOT in this file: postings in USD." in told.getvalue()
    (file,) = tmp_path.iterdir()
    assert file.read_bytes().startswith(b'"EXTF";700;21;"Buchungsstapel";13;')
    with pytest.raises(CommandError, match="not a month"):
        call_command("export_ledger", "October")
