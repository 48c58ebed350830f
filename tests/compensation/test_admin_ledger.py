import csv
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from backoffice.accounts.roles import Role
from compensation.ledger import NewEntry, record_entries
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db
# in Berlin, where November begins then
MIDNIGHT = datetime(2026, 10, 31, 23, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 21, 9, tzinfo=UTC)


def page(name, client, **query):
    return client.get(reverse(f"admin:compensation_ledgerentry_{name}"), query)


def words(response):
    """The page's text without tags, in single blanks."""
    from django.utils.html import strip_tags

    assert response.status_code == 200
    return " ".join(strip_tags(response.content.decode().replace("<", " <")).split())


@pytest.fixture
def customer():
    return CustomerFactory(reference="C-7", name="Acme GmbH")


@pytest.fixture
def finance(client):
    client.force_login(staff(Role.FINANCE))
    return client


@pytest.fixture(autouse=True)
def _today(customer, settings):
    settings.BOOKS_TIME_ZONE = "Europe/Berlin"
    entry = {"kind": "credit", "customer_id": customer.pk, "currency": "EUR"}
    record_entries(
        [
            NewEntry(**entry, amount_minor=4990, booked_at=MIDNIGHT - timedelta(minutes=30)),
            NewEntry(**entry, amount_minor=100, booked_at=MIDNIGHT),
        ]
    )
    with time_machine.travel(NOVEMBER, tick=False):
        yield


def test_balances_are_yesterdays_unless_asked(finance):
    assert "At the end of 20 November 2026 customers held EUR 50.90." in words(
        page("balances", finance)
    )
    text = words(page("balances", finance, day="2026-10-31"))
    assert "At the end of 31 October 2026 customers held EUR 49.90." in text
    assert "Acme GmbH C-7 EUR 49.90" in text
    assert "Nothing was booked up to the end of 30 October" in words(
        page("balances", finance, day="2026-10-30")
    )


def test_balances_of_one_customer(finance):
    assert "“C-8” held nothing then" in words(page("balances", finance, customer="C-8"))
    assert "Acme GmbH" in words(page("balances", finance, customer="C-7"))


@pytest.mark.parametrize("day", ["", "soon", "9999-12-31", "0001-01-01"])
def test_balances_of_no_day_say_so(finance, day):
    assert page("balances", finance, day=day).status_code == 200
    assert page("balances_csv", finance, day=day).status_code == 400


def test_balances_as_csv(finance):
    answer = page("balances_csv", finance, day="2026-10-31")
    lines = list(csv.reader(answer.getvalue().decode().splitlines()))
    assert lines == [
        ["customer", "name", "currency", "balance"],
        ["C-7", "Acme GmbH", "EUR", "49.90"],
    ]


def test_books_show_the_last_month_that_is_over(finance):
    text = words(page("books", finance))
    assert "October 2026 is complete: 1 posting." in text
    assert "Credit 1 EUR 49.90" in text
    assert "set BOOKS_DATEV_CONSULTANT" in text
    assert "November 2026 is not over: 1 posting up to now" in words(
        page("books", finance, month="2026-11")
    )
    assert "Nothing was booked in May 2020" in words(page("books", finance, month="2020-05"))


def test_books_file(finance, settings):
    answer = page("books_file", finance, month="2026-10", layout="general")
    assert answer["Content-Disposition"] == 'attachment; filename="ledger-2026-10.csv"'
    assert [line["amount"] for line in csv.DictReader(answer.getvalue().decode().splitlines())] == [
        "49.90"
    ]
    settings.BOOKS_DATEV_CONSULTANT, settings.BOOKS_DATEV_CLIENT = 29098, 55003
    answer = page("books_file", finance, month="2026-10", layout="datev")
    assert answer["Content-Type"] == "text/csv; charset=cp1252"
    assert "Geschäftspartnerbank" in answer.getvalue().decode("cp1252")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"month": "2026-10"},
        {"month": "2026-10", "layout": "xls"},
        {"month": "10", "layout": "general"},
        {"month": "2026-10", "layout": "datev"},
        {"month": "2026-10", "layout": "general", "part": 2},
        {"month": "2026-10", "layout": "general", "currency": "EUR;"},
    ],
)
def test_books_file_that_is_none_says_why(finance, asked):
    answer = page("books_file", finance, **asked)
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain")
    assert answer.content


def test_manager_sees_the_sums_and_takes_no_files(client):
    client.force_login(staff(Role.INCIDENT_MANAGER))
    assert "Your role may see the sums, not take the files." in words(page("books", client))
    assert page("books_file", client, month="2026-10", layout="general").status_code == 403
