"""Saved and shared views."""

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from backoffice.accounts.roles import Role
from support import queue_views
from support.models import SavedView
from support.queue_filters import Filter, desk_of
from support.queue_views import delete_view, save_view, share_view, tabs_of
from tests.accounts.factories import staff
from tests.support.factories import TicketFactory, agent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    cache.clear()


def titles(user):
    return [tab.title for tab in tabs_of(desk_of(user)) if tab.view]


def test_a_filter_is_read_as_it_is_written():
    query = "status=any&queue=all&tag=vip+gold&customer=C-1"
    assert Filter.read(query).query() == query
    assert Filter.read("tag=a&nonsense=1&p=3&band=").query() == "tag=a"
    assert Filter.read("q=" + "x" * 999).q == "x" * 200


def test_save_replaces_the_one_of_the_same_name():
    me, other = agent(), agent()
    save_view(by=me, name=" VIPs ", query="tag=vip&p=3&evil=1")
    save_view(by=me, name="VIPs", query="tag=gold")
    save_view(by=other, name="VIPs", query="tag=theirs")
    assert list(SavedView.objects.filter(owner=me).values_list("name", "query")) == [
        ("VIPs", "tag=gold")
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_save_refuses_a_name_that_is_none(name):
    with pytest.raises(ValidationError):
        save_view(by=agent(), name=name, query="tag=vip")


def test_save_refuses_too_many(monkeypatch):
    monkeypatch.setattr(queue_views, "MOST_VIEWS", 1)
    me = agent()
    save_view(by=me, name="One", query="tag=a")
    save_view(by=me, name="One", query="tag=b")
    with pytest.raises(ValidationError, match="You have 1 views"):
        save_view(by=me, name="Two", query="tag=a")


def test_only_leads_share_and_everybody_sees_it():
    me, lead, other = agent(), staff(Role.SUPPORT_LEAD), agent()
    mine = save_view(by=me, name="Mine", query="tag=a")
    leads = save_view(by=lead, name="VIPs", query="tag=vip")
    with pytest.raises(PermissionDenied):
        share_view(mine, by=me, is_shared=True)
    with pytest.raises(PermissionDenied):
        share_view(mine, by=lead, is_shared=True)  # a private one of somebody else's
    share_view(leads, by=lead, is_shared=True)
    assert titles(other) == ["VIPs"]
    assert titles(me) == ["Mine", "VIPs"]
    share_view(leads, by=lead, is_shared=False)
    assert titles(other) == []


def test_delete_is_for_the_owner_and_of_shared_ones_for_leads():
    me, other, lead = agent(), agent(), staff(Role.SUPPORT_LEAD)
    view = save_view(by=me, name="Mine", query="tag=a")
    for person in (other, lead):
        with pytest.raises(PermissionDenied):
            delete_view(view, by=person)
    delete_view(view, by=me)
    shared = SavedView.objects.create(owner=me, name="Shared", query="tag=a", is_shared=True)
    with pytest.raises(PermissionDenied):
        delete_view(shared, by=other)
    delete_view(shared, by=lead)
    assert not SavedView.objects.exists()


def test_a_saved_view_is_a_tab_with_its_count():
    me, client = agent(), Client()
    client.force_login(me)
    TicketFactory(tags=["vip"])
    TicketFactory()
    client.post(reverse("admin:support_savedview_save"), {"name": "VIPs", "query": "tag=vip"})
    client.get(reverse("admin:support_ticket_news"))
    response = client.get("/admin/support/ticket/?tag=vip")
    entry = next(e for e in response.context["tabs"] if e["tab"].view)
    assert (entry["tab"].title, entry["count_words"], entry["is_open"]) == ("VIPs", "1", True)
    view = SavedView.objects.get()
    client.post(reverse("admin:support_savedview_delete", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_a_view_of_a_search_has_no_count():
    me, client = agent(), Client()
    client.force_login(me)
    save_view(by=me, name="Zebras", query="q=zebra")
    response = client.get("/admin/support/ticket/")
    entry = next(e for e in response.context["tabs"] if e["tab"].view)
    assert entry["count_words"] == ""
