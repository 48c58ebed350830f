"""What no view thinks of: characters that cannot be stored, and scripts of somebody signed out."""

import pytest
from django.test import Client

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey
from tests.accounts.factories import staff
from tests.support.factories import agent, opened

pytestmark = pytest.mark.django_db
SCRIPT = {"sec-fetch-dest": "empty"}


@pytest.fixture
def api():
    key = ApiKey.objects.create_key(name="Shop", scopes=["tickets:read", "tickets:write"])[1]
    return Client(headers={"authorization": f"Api-Key {key}"}, raise_request_exception=False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"subject": "No line", "text": "Since two.", "customer": "C-\x00"}),
        ("{number}/incident/", {"incident": "INC-\x00"}),
    ],
)
def test_reference_that_cannot_be_stored_is_a_problem_of_the_client(api, path, body):
    ticket = opened()
    address = f"/api/v1/tickets/{path.format(number=ticket.number)}"
    response = api.post(
        address, body, content_type="application/json", headers={"idempotency-key": "1"}
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unstorable_characters"


@pytest.mark.parametrize("address", ["/api/v1/queues/%00/", "/api/v1/reports/desk/?queue=%00"])
def test_address_that_cannot_be_stored_is_a_problem_of_the_client(api, address):
    assert api.get(address).status_code == 400


def test_page_asked_for_what_cannot_be_stored_says_what_to_do():
    client = Client(raise_request_exception=False)
    client.force_login(staff(Role.ADMINISTRATOR))
    response = client.get("/admin/support/inbound/?state=%00")
    assert response.status_code == 400
    assert "characters that cannot be stored" in response.content.decode()


def test_script_of_somebody_signed_out_is_told_so():
    address = f"/admin/support/ticket/{opened().pk}/people/"
    client = Client()
    assert client.get(address, headers=SCRIPT).status_code == 401
    assert client.get(address).status_code == 302
    client.force_login(agent())
    assert client.get(address, headers=SCRIPT).status_code == 200


def test_script_with_the_token_of_an_earlier_sign_in_is_told_so():
    client = Client(enforce_csrf_checks=True)
    client.force_login(agent())
    address = f"/admin/support/ticket/{opened().pk}/draft/"
    assert client.post(address, {"text": "x"}, headers=SCRIPT).status_code == 401
    assert client.post(address, {"text": "x"}).status_code == 403
