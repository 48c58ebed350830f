"""What tests of pages share: reading a page as a person would, and pressing its buttons."""

import re
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from tests.accounts.factories import staff


def signed_in(*roles: Role, **fields: Any) -> tuple[Client, User]:
    person = staff(*roles, **fields)
    client = Client()
    client.force_login(person)
    return client, person


def words(response: Any) -> str:
    """The page's visible words on one line."""
    assert response.status_code == 200, response.status_code
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def batch_url(name: str, batch: Any) -> str:
    return reverse(f"admin:compensation_batch_{name}", args=[batch.pk])


def page_of(client: Client, batch: Any) -> str:
    return words(client.get(batch_url("change", batch)))


def press(client: Client, name: str, batch: Any, **data: Any) -> str:
    """Press a button of the batch's page; the words of the page that follows."""
    return words(client.post(batch_url(name, batch), data, follow=True))
