"""Finding tickets by what a person types: words, a number, an address, a customer's name.

Words are those of PostgreSQL's `websearch_to_tsquery` ("quoted phrases", `or`, `-without`), under
each of our languages' dictionaries, for people search in one language what was written in another.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Lower

from backoffice.customers.models import Customer
from support.models import Message, Ticket
from support.models.text import DICTIONARIES

# More than anybody reads; beyond it the newest are shown, and it is said.
MOST_FOUND = 500
MOST_CUSTOMERS = 200
MESSAGES_A_TICKET = 3
_WITHOUT = re.compile(r'(?<!\S)-("[^"]*"|\S+)')
_NUMBER = re.compile(r"(?:t-?)?(\d{1,15})", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """The ids that a search found. `is_cut`: there are more, and these are the newest only."""

    ids: frozenset[int] = frozenset()
    is_cut: bool = False


def search_tickets(queryset: QuerySet[Ticket], text: str, *, newest: int = MOST_FOUND) -> Found:
    """Those of `queryset` that `text` may mean; one query, two where there are many.

    Where there are more than MOST_FOUND, the `newest` of them. PostgreSQL would walk the whole
    ordered index for a rare word if it were asked for the first in order at once, so ids come
    first, up to MOST_FOUND + 1 of them, for the caller to sort if there are no more.
    """
    words = text.replace("\0", "").strip()
    if not words:
        return Found()
    parts = _parts(queryset.order_by(), words)
    rows = _united({n: part[: MOST_FOUND + 1] for n, part in enumerate(parts)})
    found = Counter(n for _pk, n in rows)
    full = [n for n in found if found[n] > MOST_FOUND]
    ids = {pk for pk, n in rows if n not in full}
    if not full and len(ids) <= MOST_FOUND:
        return Found(frozenset(ids))
    # Only those parts are asked again that have more: a word that is in many subjects and in no
    # message would be looked for in all of them. Several messages may be of one ticket.
    most = newest * MESSAGES_A_TICKET
    ids |= {pk for pk, _n in _united({n: parts[n].order_by("-found")[:most] for n in full})}
    return Found(frozenset(sorted(ids, reverse=True)[:newest]), is_cut=True)


def _parts(queryset: QuerySet[Ticket], text: str) -> list[QuerySet[Any]]:
    """A query for each way to find a ticket, each giving its id as `found`."""
    matching = _matching(text)
    spoken = Message.objects.filter(matching).order_by()
    if queryset.query.where:
        spoken = spoken.filter(ticket__in=queryset)
    return [
        queryset.filter(matching).annotate(found=F("pk")),
        spoken.annotate(found=F("ticket_id")),
        *(queryset.filter(named).annotate(found=F("pk")) for named in _named(text)),
    ]


def _united(parts: dict[int, QuerySet[Any]]) -> list[tuple[int, int]]:
    """All at once: the ids, each with the number of its part."""
    if not parts:
        return []
    numbered = [
        rows.annotate(part=Value(n, output_field=IntegerField())).values_list("found", "part")
        for n, rows in parts.items()
    ]
    return list(numbered[0].union(*numbered[1:], all=True))


def _matching(text: str) -> Q:
    """That the row's words match under any dictionary, and what has a minus under none."""
    wanted = _WITHOUT.sub(" ", text).strip()
    matching = Q(search=_query(wanted)) if wanted else Q()
    for word in _WITHOUT.findall(text):
        matching &= ~Q(search=_query(word))
    return matching


def _query(words: str) -> SearchQuery:
    queries = [
        SearchQuery(words, config=dictionary, search_type="websearch")
        for dictionary in DICTIONARIES.values()
    ]
    return reduce(or_, queries)


def _named(text: str) -> list[Q]:
    """Ways in which the text may name a ticket: its number, its sender, its customer.

    Each is a query of its own: joined by OR no index would serve them.
    """
    named = [Q(customer__in=who[:MOST_CUSTOMERS]) for who in _customers(text)]
    if number := _NUMBER.fullmatch(text):
        named.append(Q(pk=int(number[1])))
    if "@" in text:
        named.append(Q(requester_address=text.lower()))
    return named


def _customers(text: str) -> list[QuerySet[Any]]:
    """Customers whose reference or address is the text, or whose name has its words."""
    everybody = Customer.objects.order_by().values("pk")
    who = [everybody.filter(reference=text)]
    if "@" in text:
        return [*who, everybody.alias(folded=Lower("email")).filter(folded=text.lower())]
    if by_name := " & ".join(f"'{word}':*" for word in re.findall(r"\w+", text)):
        words = everybody.alias(words=SearchVector("name", config="simple"))
        query = SearchQuery(by_name, config="simple", search_type="raw")
        who.append(words.filter(words=query))
    return who
