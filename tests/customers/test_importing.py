"""Importing: what good lines become, what bad ones are told, and that a second time is nothing."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.customers.importing import (
    MapError,
    bad_lines_csv,
    import_customers,
    read_map,
    reading,
)
from backoffice.customers.models import Component, ComponentUse, Customer, Subscription
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db

MAPS = Path(django_settings.BASE_DIR) / "docs" / "maps"
TELCO = Path(django_settings.BASE_DIR).parent / "shared" / "data" / "telco_customers.csv"
SIMPLE = (MAPS / "simple.toml").read_text()
HEADER = (
    "id,name,email,language,country,segment,plan,fee,currency,interval,status,region,"
    "started,ended,trial_end,components"
)
GOOD = (
    "C-1,Ada GmbH,ADA@Example.com,de,DE,business,Pro,499.00,EUR,month,active,eu,"
    "2024-01-01,,,fibre;phone"
)


def run(*lines, how=SIMPLE, header=HEADER, encoding="utf-8", **options):
    text = "\n".join([header, *lines]) + "\n"
    return import_customers(io.BytesIO(text.encode(encoding)), how=read_map(how), **options)


def counts(report):
    return [(c.created, c.updated, c.unchanged) for c in (report.customers, report.subscriptions)]


def changed(line=GOOD, **cells):
    names = HEADER.split(",")
    values = dict(zip(names, line.split(","), strict=True)) | cells
    return ",".join(values[name] for name in names)


def test_import_makes_customer_subscription_and_uses():
    report = run(GOOD)
    assert counts(report) == [(1, 0, 0), (1, 0, 0)]
    assert (report.uses_added, report.components_created) == (2, ["fibre", "phone"])
    subscription = Subscription.objects.select_related("customer").get()
    customer = subscription.customer
    assert (customer.reference, customer.name, customer.email) == (
        "C-1", "Ada GmbH", "ada@example.com",
    )  # fmt: skip
    assert (customer.language, customer.country, customer.segment) == ("de", "DE", "business")
    assert (customer.currency, customer.time_zone, customer.stripe_customer_id) == (
        "EUR", "UTC", None,
    )  # fmt: skip
    assert (subscription.reference, subscription.plan, subscription.fee_minor) == (
        "C-1", "Pro", 49900,
    )  # fmt: skip
    assert (subscription.interval_months, subscription.status, subscription.region) == (
        1, "active", "eu",
    )  # fmt: skip
    assert subscription.started_at == datetime(2024, 1, 1, tzinfo=UTC)
    uses = ComponentUse.objects.values_list("component__key", flat=True)
    assert sorted(uses) == ["fibre", "phone"]


def test_import_again_changes_nothing():
    run(GOOD, changed(id="C-2", email=""))
    before = (
        list(Customer.objects.order_by("pk").values()),
        list(Subscription.objects.order_by("pk").values()),
    )
    report = run(GOOD, changed(id="C-2", email=""))
    assert counts(report) == [(0, 0, 2), (0, 0, 2)]
    assert report.changes_nothing
    assert before == (
        list(Customer.objects.order_by("pk").values()),
        list(Subscription.objects.order_by("pk").values()),
    )


def test_import_updates_what_differs_and_only_what_the_map_names():
    run(GOOD)
    Customer.objects.update(time_zone="Europe/Berlin", stripe_customer_id="cus_1")
    report = run(changed(name="Ada AG", fee="500", components="phone;dsl"))
    assert counts(report) == [(0, 1, 0), (0, 1, 0)]
    assert (report.uses_added, report.uses_removed, report.components_created) == (1, 1, ["dsl"])
    customer = Customer.objects.get()
    assert (customer.name, customer.time_zone, customer.stripe_customer_id) == (
        "Ada AG", "Europe/Berlin", "cus_1",
    )  # fmt: skip
    assert Subscription.objects.get().fee_minor == 50000


def test_import_removes_uses_of_the_file_s_subscriptions_and_components_only():
    other = ComponentUseFactory(component=ComponentFactory(key="fibre"))
    flags = SIMPLE[: SIMPLE.index("[[components]]")] + (
        '[[components]]\nkind = "flag"\ncolumns = { components = "fibre" }\nvalue = "x"\n'
    )
    run(changed(components="x"), how=flags)
    mine = Subscription.objects.get(reference="C-1")
    ComponentUseFactory(subscription=mine, component=ComponentFactory(key="mail"))
    assert run(changed(components=""), how=flags).uses_removed == 1
    uses = ComponentUse.objects.values_list("subscription__reference", "component__key")
    assert sorted(uses) == sorted([("C-1", "mail"), (other.subscription.reference, "fibre")])


def test_import_dry_run_reports_and_writes_nothing():
    report = run(GOOD, dry_run=True)
    assert counts(report) == [(1, 0, 0), (1, 0, 0)]
    assert report.uses_added == 2
    assert not Customer.objects.exists()
    assert not Component.objects.exists()


@pytest.mark.parametrize(
    ("cells", "field", "words"),
    [
        ({"id": ""}, "reference", "reference is empty."),
        ({"id": "x" * 101}, "reference", "has 101 characters"),
        ({"email": "ada@"}, "email", "email “ada@” is no e-mail address."),
        ({"language": "fr"}, "language", "is no language we speak"),
        ({"country": "Germany"}, "country", "is no country"),
        ({"country": "EU"}, "country", "is no country"),
        ({"segment": "s" * 51}, "segment", "has 51 characters"),
        ({"plan": ""}, "plan", "plan is empty."),
        ({"fee": "-1"}, "fee", "is no amount"),
        ({"fee": "1e3"}, "fee", "is no amount"),
        ({"fee": "٣"}, "fee", "is no amount"),
        ({"fee": ""}, "fee", "fee is no amount"),
        ({"fee": "49.905"}, "fee", "has more digits than EUR has"),
        ({"fee": "1.5", "currency": "JPY"}, "fee", "has more digits than JPY has"),
        ({"fee": "1.005", "currency": "KWD"}, "fee", "has more digits than KWD has"),
        ({"fee": "1000000"}, "fee", "is more than Stripe can charge"),
        ({"currency": "EURO"}, "currency", "is no currency"),
        ({"interval": "week"}, "interval", "is no interval we know"),
        ({"status": "Active"}, "status", "is no status"),
        ({"status": "canceled"}, "ended_at", "is empty though it is cancelled"),
        ({"started": ""}, "started_at", "started_at is empty."),
        ({"started": "2024-02-30"}, "started_at", "is no date"),
        ({"started": "0001-01-01T00:00:00+14:00"}, "started_at", "is no date"),
        ({"ended": "2023-12-31"}, "ended_at", "is before it started"),
        ({"name": "A\0da"}, "name", "holds a NUL character"),
        ({"components": "???"}, "components", "without a letter"),
    ],
)
def test_import_bad_line_is_told_and_the_others_are_kept(cells, field, words):
    report = run(changed(id="C-0"), changed(**cells), changed(id="C-9"))
    assert [(bad.line, bad.field) for bad in report.bad_lines] == [(3, field)]
    bad = report.bad_lines[0]
    assert words.rstrip(".") in bad.reason
    assert bad.remedy
    assert "\0" not in bad.reason + bad.value
    assert (report.lines, report.imported_lines, report.bad_line_count) == (3, 2, 1)
    assert sorted(Customer.objects.values_list("reference", flat=True)) == ["C-0", "C-9"]


@pytest.mark.parametrize(
    ("cells", "fee_minor"),
    [
        ({"fee": "49.9"}, 4990),
        ({"fee": "49.900"}, 4990),
        ({"fee": "0"}, 0),
        ({"fee": "500", "currency": "JPY"}, 500),
        ({"fee": "1.25", "currency": "kwd"}, 1250),
        ({"fee": "999999.99"}, 99_999_999),
    ],
)
def test_import_fee_in_minor_units(cells, fee_minor):
    run(changed(**cells))
    assert Subscription.objects.get().fee_minor == fee_minor


def test_import_several_errors_of_one_line_are_one_bad_line():
    report = run(changed(email="x", fee="y"))
    assert [bad.field for bad in report.bad_lines] == ["email", "fee"]
    assert report.bad_line_count == 1


def test_import_line_numbers_are_the_file_s():
    quoted = changed(id="C-2", name='"Two\nlines"')
    report = run(GOOD, quoted, "", changed(id="C-3", fee="x"), "a,b", GOOD)
    assert [(bad.line, bad.reason.partition(":")[0]) for bad in report.bad_lines] == [
        (6, "fee “x” is no amount."),
        (7, "The line cannot be read"),
        (8, "reference “C-1” is a subscription that stands on line 2 already."),
    ]
    assert Customer.objects.get(reference="C-2").name == "Two\nlines"


def test_import_stray_quotation_mark_costs_one_line_only():
    lines = [changed(id=f"C-{n}") for n in range(200)]
    lines[3] = changed(id="C-3", name='"Ada')
    lines[9] = changed(id="C-9", name='"Ada" GmbH')
    report = run(*lines)
    assert [bad.line for bad in report.bad_lines] == [5, 11]
    assert report.imported_lines == 198


def test_import_oversized_cell_costs_one_line_only():
    report = run(changed(id="C-0", name="x" * 200_000), GOOD)
    assert [bad.line for bad in report.bad_lines] == [2]
    assert len(report.bad_lines[0].value) == 200
    assert report.imported_lines == 1


def test_import_customer_with_two_subscriptions_on_two_lines():
    how = SIMPLE.replace(
        '# reference = { template = "{reference}" }', 'reference = { template = "{id}/{plan}" } #'
    )
    report = run(GOOD, changed(plan="Mini"), changed(plan="Max", name="Ada AG"), how=how)
    assert counts(report) == [(1, 0, 0), (2, 0, 0)]
    assert [bad.reason for bad in report.bad_lines] == [
        "reference “C-1” is a customer that line 2 describes otherwise."
    ]
    assert sorted(Subscription.objects.values_list("reference", flat=True)) == [
        "C-1/Mini", "C-1/Pro",
    ]  # fmt: skip


def test_import_customers_only():
    how = '[customer]\nreference = "id"\nname = "name"\n'
    report = run("1,Ada", "2,Bob", "1,Ada", how=how, header="id,name")
    assert counts(report) == [(2, 0, 0), (0, 0, 0)]
    assert [bad.reason for bad in report.bad_lines] == [
        "reference “1” is a customer that stands on line 2 already."
    ]
    assert Customer.objects.get(reference="1").currency == ""


STRIPE = SIMPLE.replace("# stripe_customer_id", "stripe_customer_id").replace(
    "# stripe_subscription_id", "stripe_subscription_id"
)


def stripe_run(*pairs):
    lines = [
        f"{changed(id=f'C-{n}')},{customer},{subscription}"
        for n, (customer, subscription) in enumerate(pairs)
    ]
    return run(*lines, how=STRIPE, header=f"{HEADER},stripe_id,stripe_subscription")


def test_import_links_to_stripe_and_an_empty_cell_keeps_the_link():
    stripe_run(("cus_1", "sub_1"))
    report = stripe_run(("", ""))
    assert counts(report) == [(0, 0, 1), (0, 0, 1)]
    assert Customer.objects.get().stripe_customer_id == "cus_1"
    assert Subscription.objects.get().stripe_subscription_id == "sub_1"


def test_import_never_hands_a_stripe_id_to_somebody_else():
    CustomerFactory(reference="other", stripe_customer_id="cus_9")
    stripe_run(("cus_1", "sub_1"))
    report = stripe_run(("cus_2", "sub_1"), ("cus_9", ""), ("cus_3", "sub_3"), ("cus_3", "sub_3"))
    assert [(bad.line, bad.field) for bad in report.bad_lines] == [
        (2, "stripe_customer_id"),
        (3, "stripe_customer_id"),
        (4, "stripe_customer_id"),
        (4, "stripe_subscription_id"),
        (5, "stripe_customer_id"),
        (5, "stripe_subscription_id"),
    ]
    assert (report.bad_line_count, report.imported_lines) == (4, 0)


def test_import_does_not_move_a_subscription_nor_change_a_customer_s_currency_at_stripe():
    SubscriptionFactory(reference="C-1", customer=CustomerFactory(reference="other"))
    CustomerFactory(reference="C-2", currency="USD", stripe_customer_id="cus_2")
    report = run(GOOD, changed(id="C-2"))
    assert [bad.reason for bad in report.bad_lines] == [
        "subscription reference “C-1” belongs to customer other.",
        "currency “EUR” is not the customer's currency at Stripe, which is USD.",
    ]


TENURE = """
[customer]
reference = "id"
[subscription]
plan = { constant = "p" }
fee = { constant = "1" }
currency = { constant = "USD" }
status = { column = "left", values = { Yes = "canceled" }, other = "active" }
started_at = { column = "months", months_before_reference = true }
canceled_at = "reference"
"""


def tenure_run(*lines, **options):
    return run(*lines, how=TENURE, header="id,months,left", **options)


def test_import_tenure_counts_back_from_the_reference_date():
    tenure_run("a,0,No", "b,1,No", "c,13,Yes", "d,1201,No", as_of=date(2026, 3, 31))
    found = {s.reference: (s.started_at, s.ended_at) for s in Subscription.objects.all()}
    assert found == {
        "a": (datetime(2026, 3, 31, tzinfo=UTC), None),
        "b": (datetime(2026, 2, 28, tzinfo=UTC), None),
        "c": (datetime(2025, 2, 28, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)),
    }


def test_import_next_day_does_not_move_worked_out_dates():
    with time_machine.travel("2026-11-20T22:00:00Z"):
        tenure_run("a,5,No", "b,5,Yes")
    before = list(Subscription.objects.order_by("pk").values())
    with time_machine.travel("2026-11-21T22:00:00Z"):
        assert tenure_run("a,5,No", "b,5,Yes").changes_nothing
        assert list(Subscription.objects.order_by("pk").values()) == before
        tenure_run("a,5,Yes", "b,5,No")
    ends = dict(Subscription.objects.values_list("reference", "ended_at"))
    assert ends == {"a": datetime(2026, 11, 21, tzinfo=UTC), "b": None}
    assert tenure_run("a,5,Yes", as_of=date(2026, 11, 1)).subscriptions.updated == 1


@pytest.mark.parametrize(
    ("raw", "name", "notices"),
    [
        (f"{HEADER}\n{GOOD}".encode("utf-8-sig"), "Ada GmbH", 0),
        (f"{HEADER}\n{GOOD}".replace("Ada", "Bär").encode(), "Bär GmbH", 0),
        (f"{HEADER}\n{GOOD}".replace("Ada", "Bär").encode("latin-1"), "Bär GmbH", 1),
        (f"{HEADER}\n{GOOD}".replace("\n", "\r\n").encode(), "Ada GmbH", 0),
        (f"{HEADER}\n{GOOD}".replace("\n", "\r").encode(), "Ada GmbH", 0),
        (f"{HEADER}\n{GOOD}".replace(",", "\t").encode(), "Ada GmbH", 0),
        (f"{HEADER}\n{GOOD}".replace(";", "|").replace(",", ";").encode(), "Ada GmbH", 0),
    ],
)
def test_import_reads_files_however_written(raw, name, notices):
    report = import_customers(io.BytesIO(raw), how=read_map(SIMPLE))
    assert Customer.objects.get().name == name
    assert len(report.notices) == notices


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (f"{HEADER}\n{GOOD}".encode("utf-16"), "UTF-16"),
        (b"id,name\n1,2", "The file has no column “components”."),
        (HEADER.replace("plan", "plann").encode(), "Did you mean “plann”?"),
        (f"{HEADER},id\n".encode(), "has these columns twice: id"),
    ],
)
def test_import_file_that_does_not_fit_is_refused(raw, words):
    with pytest.raises(MapError) as caught:
        import_customers(io.BytesIO(raw), how=read_map(SIMPLE))
    assert words in str(caught.value)


def test_import_file_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_FILE", 100)
    with pytest.raises(MapError, match="larger than"):
        run(GOOD)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer = ", "The map is no TOML"),
        ("", "customer: is missing."),
        ("[customer]\nreference = 'id'\nnmae = 'x'", "customer.nmae: there is no such key"),
        ("[customer]\nreference = {}", "customer.reference: give exactly one of column"),
        ("[customer]\nreference = { column = 'a', constant = 'b' }", "exactly one of"),
        ("[customer]\nreference = 'id'\n[dates]\ntime_zone = 'Mars'", "“Mars” is no time zone"),
        ("[customer]\nreference = 'a'\n[subscription]\nplan = 'p'", "subscription.fee: is missing"),
        (SIMPLE.replace("# period_start", "period_start"), "give both period_start and"),
        (SIMPLE.replace('"list" ', '"lists" '), "components.0:"),
        (SIMPLE[: SIMPLE.index("[subscription]")] + SIMPLE[SIMPLE.index("[[components]]") :],
         "add [subscription]"),
    ],
)  # fmt: skip
def test_map_mistake_is_told_with_its_place(text, words):
    with pytest.raises(MapError) as caught:
        read_map(text)
    assert words in str(caught.value)


def test_bad_lines_as_csv_run_nothing_in_a_spreadsheet():
    report = run(changed(country="=1+1"))
    line = bad_lines_csv(report.bad_lines).splitlines()[1]
    assert line.startswith("2,country,'=1+1,")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.just(GOOD),
            st.text(st.sampled_from('ab",;\n\r \0é'), max_size=40),
            st.lists(st.text(max_size=5), min_size=16, max_size=16).map(",".join),
        ),
        max_size=8,
    )
)
def test_import_of_any_bytes_ends_with_every_line_accounted_for(lines):
    raw = "\n".join([HEADER, *lines]).encode("utf-8", "replace")
    report = import_customers(io.BytesIO(raw), how=read_map(SIMPLE), dry_run=True)
    assert report.lines == report.imported_lines + report.bad_line_count
    assert report.imported_lines == report.customers.created


def test_import_telecom_sample():
    if not TELCO.is_file():
        pytest.skip(f"the telecom sample is not at {TELCO}")
    how = (MAPS / "telco_customers.toml").read_text()
    with TELCO.open("rb") as file:
        report = import_customers(file, how=read_map(how), as_of=date(2026, 11, 1))
    assert report.bad_lines == []
    assert counts(report) == [(7043, 0, 0), (7043, 0, 0)]
    assert sorted(report.components_created) == sorted(
        ["PhoneService", "MultipleLines", "DSL", "Fiber optic", "OnlineSecurity", "OnlineBackup",
         "DeviceProtection", "TechSupport", "StreamingTV", "StreamingMovies"]
    )  # fmt: skip
    reference = datetime(2026, 11, 1, tzinfo=UTC)
    canceled = Subscription.objects.filter(status="canceled")
    assert canceled.count() == canceled.filter(ended_at=reference).count() == 1869
    assert Subscription.objects.filter(started_at=reference).count() == 11
    assert ComponentUse.objects.filter(component__key="fiber-optic").count() == 3096
    first = Subscription.objects.select_related("customer").get(reference="7590-VHVEG")
    assert (first.plan, first.fee_minor, first.currency) == ("Month-to-month", 2985, "USD")
    assert first.started_at == datetime(2026, 10, 1, tzinfo=UTC)
    assert (first.customer.email, first.customer.country) == ("7590-vhveg@example.com", "US")
    with TELCO.open("rb") as file:
        assert import_customers(file, how=read_map(how), as_of=date(2026, 11, 1)).changes_nothing
