"""Pages for when something is wrong: each says what to do, in the reader's language."""

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.accounts.factories import staff

pytestmark = pytest.mark.django_db


def test_unknown_address(client):
    response = client.get("/nothing/here/", headers={"accept-language": "de"})
    assert response.status_code == 404
    assert "Seite nicht gefunden" in response.content.decode()


def test_unknown_address_within_the_admin(client):
    client.force_login(staff())
    response = client.get("/admin/nothing/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_forbidden_page_of_the_admin_names_the_way_out(client):
    client.force_login(staff())
    response = client.get("/admin/accounts/user/")
    assert response.status_code == 403
    assert "ask an administrator for the role" in response.content.decode()


def test_form_without_its_token():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    assert response.status_code == 403
    assert "Please send the form again" in response.content.decode()


def test_our_own_fault_needs_no_context():
    page = render_to_string("500.html")
    assert "Something went wrong on our side" in page
    assert "Bei uns ist etwas schiefgegangen" in page
