"""The pages, as a person reads them."""

import http.client
import re
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def read(stripe_sandbox):
    """Fetches a page: its status and its HTML."""

    def fetch(path):
        parts = urlsplit(stripe_sandbox.address)
        line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        line.request("GET", path)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        return answer.status, text

    return fetch


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_empty_overview(read):
    status, html = read("/")
    assert status == 200
    assert "No real money is involved" in html
    assert "No customers yet." in html


def test_overview_shows_balances_and_transactions(client, customer, read):
    client.v1.customers.balance_transactions.create(
        customer.id,
        {"amount": -123450, "currency": "eur", "description": "Outage", "metadata": {"award": "7"}},
    )
    text = words(read("/")[1])
    assert "Ada Lovelace ada@example.com EUR 1,234.50 credit" in text
    assert "adjustment −EUR 1,234.50 EUR 1,234.50 credit Outage award 7" in text


def test_customer_page(client, stripe_sandbox, customer, subscription, read):
    client.v1.customers.balance_transactions.create(
        customer.id, {"amount": -100, "currency": "eur"}
    )
    (invoice,) = stripe_sandbox.bill(subscription=subscription.id)
    status, html = read(f"/customers/{customer.id}")
    text = words(html)
    assert status == 200
    assert "1 × EUR 49.00 / month" in text
    assert f"applied to invoice {invoice['id']} EUR 1.00 none" in text
    assert "paid EUR 49.00 EUR 1.00 EUR 48.00" in text


def test_everything_is_escaped(client, read):
    evil = '<script>alert("x")</script>'
    made = client.v1.customers.create({"name": evil, "email": evil, "metadata": {"<b>": evil}})
    client.v1.customers.balance_transactions.create(
        made.id, {"amount": -1, "currency": "eur", "description": evil, "metadata": {"<i>": evil}}
    )
    for path in ("/", f"/customers/{made.id}", "/?q=%3Cscript%3E"):
        html = read(path)[1]
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "<b>" not in html


def test_customers_are_found_and_paged(stripe_sandbox, read):
    stripe_sandbox.seed([{"customer": {"name": f"Customer {n:02}"}} for n in range(30)])
    first, second = words(read("/")[1]), words(read("/?page=2")[1])
    assert "Customer 29" in first
    assert "Customer 04" not in first
    assert "Customer 04" in second
    assert "Older" in first
    assert "Newer" in second
    assert "Older" not in second
    found = words(read("/?q=CUSTOMER+07")[1])
    assert "Customer 07" in found
    assert "Customer 08" not in found
    assert "Nobody matches." in read("/?q=100%25")[1]


def test_unknown_customer(read):
    assert read("/customers/cus_none")[0] == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "99"])
def test_odd_page_numbers(read, page):
    assert read(f"/?page={page}")[0] == 200
