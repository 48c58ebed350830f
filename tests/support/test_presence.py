"""Who is on which ticket."""

import time

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as NoRedis

from support import presence
from tests.accounts.factories import UserFactory
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    cache.clear()
    yield
    cache.clear()


def test_those_who_answer_come_first():
    ann, ben = UserFactory(full_name="Ann"), UserFactory(full_name="Ben")
    presence.note_presence(7, ann, presence.VIEWING)
    presence.note_presence(7, ben, presence.ANSWERING)
    people = presence.present_on([7, 8])
    assert {pk: presence.said(here) for pk, here in people.items()} == {
        7: "Ben is answering, Ann is looking"
    }
    assert presence.said(presence.present_on([7], but=ben)[7]) == "Ann is looking"
    presence.note_presence(7, ben, presence.GONE)
    assert presence.said(presence.present_on([7])[7]) == "Ann is looking"


def test_who_says_nothing_more_is_forgotten(monkeypatch):
    ann, ben = UserFactory(), UserFactory()
    presence.note_presence(7, ann, presence.VIEWING)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + presence.FORGOTTEN_AFTER + 1)
    assert presence.present_on([7]) == {}
    presence.note_presence(7, ben, presence.VIEWING)
    assert [one.user_id for one in presence.present_on([7])[7]] == [ben.pk]


def test_without_the_cache_the_desk_works_on(monkeypatch):
    def fail(*args, **kwargs):
        raise NoRedis

    for name in ("get", "set", "get_many"):
        monkeypatch.setattr(cache, name, fail)
    user, ticket = agent(), opened()
    presence.note_presence(ticket.pk, user, presence.VIEWING)
    assert presence.present_on([ticket.pk]) == {}
    client = Client()
    client.force_login(user)
    assert client.get("/admin/support/ticket/").status_code == 200


def test_a_beat_is_answered_with_who_else_is_there():
    ticket, people, answers = opened(), [agent(), agent()], []
    people[0].full_name = "Ann <b>"
    people[0].save()
    url = reverse("admin:support_ticket_presence", args=[ticket.pk])
    for person, doing in zip(people, ("answering", "viewing"), strict=True):
        client = Client()
        client.force_login(person)
        answers.append(client.post(url, {"doing": doing}))
    assert [answer.content.decode() for answer in answers] == ["", "Ann <b> is answering"]
    assert answers[1]["Content-Type"] == "text/plain; charset=utf-8"
    page = client.get("/admin/support/ticket/").content.decode()
    assert "Ann &lt;b&gt; is answering" in page
    news = client.get(reverse("admin:support_ticket_news"), {"ticket": [ticket.pk, "x"]}).json()
    assert news["present"] == {str(ticket.pk): "Ann <b> is answering"}
    assert news["counts"][""] == "1"


def test_nobody_hears_of_tickets_they_do_not_see():
    queue = QueueFactory()
    insider, outsider = agent(queue), agent()
    ticket = opened(queue=queue)
    presence.note_presence(ticket.pk, insider, presence.ANSWERING)
    client = Client()
    client.force_login(outsider)
    url = reverse("admin:support_ticket_presence", args=[ticket.pk])
    assert client.post(url, {"doing": "viewing"}).status_code == 404
    news = client.get(reverse("admin:support_ticket_news"), {"ticket": ticket.pk}).json()
    assert news["present"] == {}
