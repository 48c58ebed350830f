"""The admin's pages of customers: who gets in, what is found, and the import."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.accounts.roles import Role
from backoffice.customers.models import Component, Contact, Customer, CustomerImport
from backoffice.customers.portal import open_session
from backoffice.customers.search import MOST_FOUND, find_customers
from tests.accounts.factories import UserFactory, staff
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db

HOW = '[customer]\nreference = "id"\nname = "name"\n'
RAW = b"id,name\n1,Ada\n2,Bob\n2,Bob\n"
UPLOAD = "/admin/customers/customerimport/upload/"


@pytest.fixture
def boss(client):
    user = staff(Role.ADMINISTRATOR)
    client.force_login(user)
    return user


def listed(client, model, **query):
    answer = client.get(reverse(f"admin:customers_{model}_changelist"), query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


# --- lists and pages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", ["customer", "subscription", "component", "portalsession", "customerimport"]
)
def test_list_opens_for_who_may_see_it_only(client, model):
    url = reverse(f"admin:customers_{model}_changelist")
    assert client.get(url).status_code == 302
    client.force_login(UserFactory())
    assert client.get(url).status_code == 302
    client.force_login(UserFactory(is_staff=True))
    assert client.get(url).status_code == 403
    for role in Role:
        client.force_login(staff(role))
        is_audit = model in {"portalsession", "customerimport"}
        may = not is_audit or role in {Role.AUDITOR, Role.ADMINISTRATOR}
        assert client.get(url).status_code == (200 if may else 403), role


@pytest.mark.parametrize("model", ["customer", "subscription", "portalsession"])
def test_rows_are_to_look_at(client, boss, model):
    customer = SubscriptionFactory().customer
    open_session(customer, created_by="shop")
    row = {
        "customer": customer,
        "subscription": customer.subscriptions.get(),
        "portalsession": customer.portal_sessions.get(),
    }[model]
    url = reverse(f"admin:customers_{model}_change", args=[row.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "x"}).status_code == 403
    for action, args in (("add", []), ("delete", [row.pk])):
        assert (
            client.get(reverse(f"admin:customers_{model}_{action}", args=args)).status_code == 403
        )


@pytest.mark.parametrize("model", ["customer", "subscription", "portalsession", "customerimport"])
def test_list_asks_a_constant_number_of_questions(
    client, boss, model, django_assert_max_num_queries
):
    counts = []
    for rows in (1, 3):
        for _ in range(rows):
            use = ComponentUseFactory()
            open_session(use.subscription.customer, created_by="shop")
            CustomerImport.objects.create(file_name="x.csv", created_by=boss)
        with django_assert_max_num_queries(20) as queries:
            listed(client, model)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("rows", [1, 3])
def test_customer_page_asks_a_constant_number_of_questions(
    client, boss, rows, django_assert_num_queries
):
    customer = CustomerFactory()
    for _ in range(rows):
        ComponentUseFactory(
            subscription=SubscriptionFactory(customer=customer), component=ComponentFactory()
        )
    url = reverse("admin:customers_customer_change", args=[customer.pk])
    client.get(url)
    with django_assert_num_queries(11):
        answer = client.get(url)
    assert answer.text.count("EUR 499.00 a month") == rows


def test_customer_page_names_who_may_sign_in(client, boss):
    customer = CustomerFactory(email="ada@example.com")
    now = UserFactory(email="ada@example.com")
    past = UserFactory(email="old@example.com")
    for user in (now, past):
        Contact.objects.create(user=user, customer=customer, by_email=True)
    answer = client.get(reverse("admin:customers_customer_change", args=[customer.pk]))
    assert "ada@example.com" in answer.text
    assert "old@example.com" not in answer.text


# --- search ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("C-77", ["C-7701"]),
        ("c-7701", ["C-7701"]),
        ("-7701", []),
        ("ANNA@ex", ["C-7701"]),
        ("müller", ["C-7701"]),
        ("mül ann", ["C-7701"]),
        ("ller", []),
        ("anna & bob", []),
        ("o'neil", ["C-8802"]),
        ("cus_a", ["C-7701"]),
        ("S-1", ["C-7701"]),
        ("sub_a", ["C-7701"]),
        ("100%", []),
        ("_", []),
        ("'", []),
        ("\0", []),
        ("  ", []),
    ],
)
def test_customers_are_found_by_what_one_types(words, expected):
    anna = CustomerFactory(
        reference="C-7701", name="Anna Müller", email="Anna@Example.com", stripe_customer_id="cus_a"
    )
    SubscriptionFactory(reference="S-1", customer=anna, stripe_subscription_id="sub_a")
    CustomerFactory(reference="C-8802", name="Bob O'Neil", email="bob@test.example")
    found = Customer.objects.filter(pk__in=find_customers(words))
    assert [customer.reference for customer in found] == expected


def test_search_in_the_list(client, boss):
    customer = CustomerFactory(reference="C-7701")
    subscription = SubscriptionFactory(reference="S-1", customer=customer)
    SubscriptionFactory()
    assert listed(client, "customer", q="C-7701") == [customer]
    for words in ("S-1", "C-7701", subscription.stripe_subscription_id):
        assert listed(client, "subscription", q=words) == [subscription]


def test_search_that_finds_too_many_says_so(client, boss):
    Customer.objects.bulk_create(Customer(reference=f"B-{n}") for n in range(MOST_FOUND + 5))
    answer = client.get(reverse("admin:customers_customer_changelist"), {"q": "B-"})
    assert [str(message) for message in answer.context["messages"]] == [
        "More than 2,000 customers fit: type more of it."
    ]


# --- components --------------------------------------------------------------------------------


def test_component_s_key_stays(client):
    client.force_login(staff(Role.INCIDENT_MANAGER))
    form = {"name": "Fibre", "key": "fibre", "group": "", "position": "0", "description": ""}
    assert client.post(reverse("admin:customers_component_add"), form).status_code == 302
    component = Component.objects.get()
    url = reverse("admin:customers_component_change", args=[component.pk])
    assert client.post(url, {**form, "name": "Fibre access", "key": "x"}).status_code == 302
    component.refresh_from_db()
    assert (component.name, component.key) == ("Fibre access", "fibre")
    assert client.get(reverse("admin:customers_component_delete", args=[1])).status_code == 403


# --- import ------------------------------------------------------------------------------------


def upload(client, raw=RAW, **fields):
    file = SimpleUploadedFile("c.csv", raw, content_type="text/csv")
    form = {"file": file, "map_choice": "own", "map_text": HOW, "as_of": "", **fields}
    return client.post(UPLOAD, form)


def test_import_is_previewed_then_confirmed(client, boss):
    assert client.get(UPLOAD).status_code == 200
    answer = upload(client)
    record = CustomerImport.objects.get()
    page = reverse("admin:customers_customerimport_change", args=[record.pk])
    assert (answer.status_code, answer.url) == (302, page)
    text = client.get(page).text
    assert "Nothing is written yet. 3 lines read, 1 of them bad" in text
    assert "Import 2 lines: 2 new customers, 0 changed" in text
    assert "reference “2” is a customer that stands on line 3 already." in text
    assert not Customer.objects.exists()
    confirm = reverse("admin:customers_customerimport_confirm", args=[record.pk])
    assert client.get(confirm).status_code == 405
    text = client.post(confirm, follow=True).text
    assert "Imported 2 lines: 2 customers created." in text
    assert Customer.objects.count() == 2
    record.refresh_from_db()
    assert (record.state, record.created_by) == ("imported", boss)


def test_import_can_be_discarded(client, boss):
    upload(client)
    record = CustomerImport.objects.get()
    discard = reverse("admin:customers_customerimport_discard", args=[record.pk])
    assert client.post(discard).status_code == 302
    confirm = reverse("admin:customers_customerimport_confirm", args=[record.pk])
    assert "no longer kept" in client.post(confirm, follow=True).text
    assert not Customer.objects.exists()


def test_import_with_a_sample_map_or_the_last_one(client, boss):
    header = b"customerID,Contract,MonthlyCharges,Churn,tenure,InternetService"
    answer = upload(client, header, map_choice="telco_customers.toml", map_text="")
    assert "has no column “DeviceProtection”" in answer.text
    upload(client)
    record = CustomerImport.objects.get()
    client.post(reverse("admin:customers_customerimport_confirm", args=[record.pk]))
    assert upload(client, map_choice="last", map_text="").status_code == 302
    assert CustomerImport.objects.first().map_text == HOW.strip()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"map_text": "[customer"}, "The map is no TOML"),
        ({"map_text": ""}, "Write a map, or choose one."),
        ({"map_choice": "../../settings.py", "map_text": ""}, "Select a valid choice"),
        ({"raw": b"nr\n1"}, "has no column “id”"),
        ({"raw": b""}, "file is empty"),
        ({"as_of": "soon"}, "Enter a valid date"),
    ],
)
def test_import_mistake_is_told_on_the_form(client, boss, fields, words):
    answer = upload(client, **fields)
    assert answer.status_code == 200
    assert words in answer.text
    assert not CustomerImport.objects.exists()


def test_import_bad_lines_are_downloaded(client, boss):
    upload(client)
    record = CustomerImport.objects.get()
    answer = client.get(reverse("admin:customers_bad_lines", args=[record.pk]))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bad-lines-c.csv"'
    assert answer.text.splitlines()[1].startswith("4,reference,2,")


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_import_is_for_administrators_only(client, boss, role):
    upload(client)
    record = CustomerImport.objects.get()
    client.force_login(staff(role))
    assert client.get(UPLOAD).status_code == 403
    assert upload(client).status_code == 403
    for name in ("confirm", "discard"):
        url = reverse(f"admin:customers_customerimport_{name}", args=[record.pk])
        assert client.post(url).status_code == 403
    may_look = 200 if role == Role.AUDITOR else 403
    for name in ("admin:customers_customerimport_change", "admin:customers_bad_lines"):
        assert client.get(reverse(name, args=[record.pk])).status_code == may_look
    assert not Customer.objects.exists()
