"""Starting a policy from a published one, and from a file."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.accounts.roles import Role
from compensation import ready_made
from compensation.models import Policy, PolicyExample, PolicyVersion
from tests.compensation.screens import signed_in, words

pytestmark = pytest.mark.django_db

START = reverse("admin:compensation_policy_ready_made")
INSTALL = reverse("admin:compensation_policy_install")
IMPORT = reverse("admin:compensation_policy_import")
GOLD = {
    "provider": "Own", "service": "Gold", "period": "calendar_month", "currency": "EUR",
    "source": "https://example.com/sla",
    "tiers": [{"uptime_below": "99.9", "uptime_at_least": None, "credit_percent": 10}],
    "worked_examples": [
        {"monthly_fee_cents": 49900, "period_minutes": 43200, "downtime_minutes": 60,
         "expected_credit_cents": 4990},
    ],
}  # fmt: skip


@pytest.fixture
def finance():
    return signed_in(Role.FINANCE)[0]


def file_of(*policies):
    text = json.dumps({"policies": policies})
    return SimpleUploadedFile("policies.json", text.encode(), "application/json")


def check(client, *policies):
    return client.post(IMPORT, {"file": file_of(*policies), "currency": "EUR"})


def test_every_ready_made_policy_is_listed_with_what_it_gives(finance):
    text = words(finance.get(START))
    for key in ready_made.keys():  # noqa: SIM118 - a function
        assert ready_made.read(key).policy.name in text
    assert "AWS S3 Standard AWS 13 examples" in text
    assert "from 99 and below 99.9 % uptime: 10 % of the monthly fee" in text
    assert text.count("Use as a draft") == len(ready_made.keys())


def test_search_finds_by_every_word(finance):
    text = words(finance.get(START, {"q": "aws s3 STANDARD"}))
    assert "AWS S3 Standard" in text
    assert text.count("Use as a draft") == 1
    assert "None fits these words" in words(finance.get(START, {"q": "nobody offers this"}))


def test_one_becomes_a_draft_with_its_examples(finance):
    answer = finance.post(INSTALL, {"key": "aws-s3-standard"}, follow=True)
    assert "A draft to read, change and activate." in words(answer)
    version = PolicyVersion.objects.get()
    assert (version.state, version.examples.count()) == ("draft", 13)
    assert answer.redirect_chain[-1][0].endswith(f"/policyversion/{version.pk}/change/")
    assert "Installed: look at it" in words(finance.get(START))
    refused = finance.post(INSTALL, {"key": "no-such"}, follow=True)
    assert "There is no ready-made policy “no-such”" in words(refused)


def test_a_file_is_checked_first_and_then_made_into_drafts(finance):
    wrong = GOLD["worked_examples"][0] | {"expected_credit_cents": 1, "label": "a slip"}
    answer = check(finance, GOLD, GOLD | {"service": "Silver", "worked_examples": [wrong]})
    text = words(answer)
    assert "Nothing is written yet. 2 policies can be read." in text
    assert "1 example differs" in text
    assert "Example 1 a slip: EUR 0.01 is expected, EUR 49.90 comes out (row 1;" in text
    assert not Policy.objects.exists()
    sent = {name: answer.context[name] for name in ("text", "currency")}
    made = finance.post(IMPORT, sent | {"then": "create"}, follow=True)
    assert "2 drafts were made." in words(made)
    assert sorted(Policy.objects.values_list("key", flat=True)) == ["own-gold", "own-silver"]
    assert set(PolicyVersion.objects.values_list("state", flat=True)) == {"draft"}
    assert PolicyExample.objects.count() == 2
    assert "is there: another draft of it" in words(check(finance, GOLD))


def test_a_bad_policy_is_told_with_its_reason_and_the_rest_can_be_made(finance):
    bad = GOLD | {"service": "Bad", "period": "fortnight"}
    answer = check(finance, bad, GOLD)
    text = words(answer)
    assert "error Own Bad: period:" in text
    assert "Create 1 draft" in text
    sent = {name: answer.context[name] for name in ("text", "currency")}
    finance.post(IMPORT, sent | {"then": "create"})
    assert list(Policy.objects.values_list("key", flat=True)) == ["own-gold"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"currency": "EUR"}, "Choose a file."),
        ({"currency": "EUR", "text": "{"}, "This is no JSON"),
        ({"currency": "EUR", "text": "[]"}, "There is no policy in it."),
        ({"currency": "E", "text": "[]"}, "Write a code of three letters, such as EUR."),
        ({"currency": "XYZ", "text": "[]"}, "“XYZ” is not a currency"),
        ({"currency": "EUR", "file": SimpleUploadedFile("a.json", b"\xff\xfe")}, "no UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(finance, sent, said):
    assert said in words(finance.post(IMPORT, sent, follow=True))


def test_who_may_write_no_policies_cannot_start_one():
    client = signed_in(Role.FINANCE_APPROVER)[0]
    assert client.get(START).status_code == 403
    assert client.post(INSTALL, {"key": "standard-sla"}).status_code == 403
    assert client.post(IMPORT, {"text": "[]", "currency": "EUR"}).status_code == 403
    text = words(client.get(reverse("admin:compensation_policy_changelist")))
    assert "Start from a published policy" not in text


def test_the_list_leads_there(finance):
    text = words(finance.get(reverse("admin:compensation_policy_changelist")))
    assert "Start from a published policy" in text
