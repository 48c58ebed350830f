"""API keys in the admin: shown once, never widened, revoked for good."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from rest_framework_api_key.models import APIKey as UnscopedKey

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope
from tests.accounts.factories import staff

pytestmark = pytest.mark.django_db

ADD = "/admin/rest/apikey/add/"


@pytest.fixture
def administrator(client):
    user = staff(Role.ADMINISTRATOR)
    client.force_login(user)
    return user


def make(client, *scopes):
    return client.post(ADD, {"name": "shop", "scopes": [str(scope) for scope in scopes]})


def page_of(key):
    return reverse("admin:rest_apikey_change", args=[key.pk])


def test_key_is_shown_once_and_works(client, administrator):
    response = make(client, Scope.CUSTOMERS_READ, Scope.PORTAL)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    secret = re.search(r'value="(\w{8}\.\w+)"', response.content.decode()).group(1)
    key = ApiKey.objects.get()
    assert ApiKey.objects.get_from_key(secret) == key
    assert key.scopes == ["customers:read", "portal"]
    assert key.created_by == administrator
    for path in (page_of(key), "/admin/rest/apikey/"):
        assert secret.partition(".")[2] not in client.get(path).content.decode()
    assert secret not in str(client.session.items())


def test_key_needs_a_scope_that_exists(client, administrator):
    make(client)
    make(client, "batches:approve")
    assert not ApiKey.objects.exists()


def test_key_is_revoked_for_good(client, administrator):
    make(client, Scope.PORTAL)
    key = ApiKey.objects.get()
    assert client.post(page_of(key), {"revoked": "on"}).status_code == 302
    key.refresh_from_db()
    assert key.revoked
    client.post(page_of(key), {"revoked": ""})
    assert ApiKey.objects.get().revoked
    assert [event.revoked for event in ApiKey.pgh_event_model.objects.order_by("pgh_id")] == [
        False,
        True,
    ]


def test_key_is_never_widened(client, administrator):
    make(client, Scope.PORTAL)
    key = ApiKey.objects.get()
    data = {"name": "other", "scopes": [str(Scope.INCIDENTS_WRITE)]}
    client.post(page_of(key), data)
    key = ApiKey.objects.get()
    assert (key.name, key.scopes) == ("shop", ["portal"])


def test_key_is_not_deleted(client, administrator):
    make(client, Scope.PORTAL)
    url = reverse("admin:rest_apikey_delete", args=[ApiKey.objects.get().pk])
    assert client.post(url, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("role", "status"), [(Role.AUDITOR, 403), (Role.FINANCE, 403), (Role.FINANCE_APPROVER, 403)]
)
def test_only_administrators_make_keys(role, status):
    client = Client()
    client.force_login(staff(role))
    assert make(client, Scope.PORTAL).status_code == status


def test_keys_without_scopes_are_not_to_be_had():
    assert not admin.site.is_registered(UnscopedKey)
