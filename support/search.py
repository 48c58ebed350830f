"""Finding tickets by what a person types: words, a number, an address, a customer's name.

Words are those of PostgreSQL's `websearch_to_tsquery` ("quoted phrases", `or`, `-without`), under
each of our languages' dictionaries, for people search in one language what was written in another.
"""

import re
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
MOST_FOUND = 2000
MOST_CUSTOMERS = 200
_WITHOUT = re.compile(r'(?<!\S)-("[^"]*"|\S+)')
_NUMBER = re.compile(r"(?:t-?)?(\d{1,15})", re.IGNORECASE)
# Which part of the search found a ticket.
_SUBJECTS, _MESSAGES, _OTHERS = 1, 2, 3


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
    rows = _united([part[: MOST_FOUND + 1] for part in parts])
    ids = {pk for pk, _part in rows}
    if len(ids) <= MOST_FOUND and not _any_full(rows):
        return Found(frozenset(ids))
    latest = _united([part.order_by("-found")[:newest] for part in parts])
    newest_first = sorted({pk for pk, _part in latest}, reverse=True)
    return Found(frozenset(newest_first[:newest]), is_cut=True)


def _parts(queryset: QuerySet[Ticket], text: str) -> list[QuerySet[Any]]:
    """A query for each way to find a ticket, each giving `found` (its id) and `part`."""
    matching = _matching(text)
    spoken = Message.objects.filter(matching).order_by()
    if queryset.query.where:
        spoken = spoken.filter(ticket__in=queryset)
    return [
        _as_part(queryset.filter(matching), "pk", _SUBJECTS),
        _as_part(spoken, "ticket_id", _MESSAGES),
        _as_part(queryset.filter(_named(text)), "pk", _OTHERS),
    ]


def _as_part(rows: QuerySet[Any], column: str, part: int) -> QuerySet[Any]:
    named = rows.annotate(found=F(column), part=Value(part, output_field=IntegerField()))
    found: QuerySet[Any] = named.values_list("found", "part")
    return found


def _united(parts: list[QuerySet[Any]]) -> list[tuple[int, int]]:
    first, *others = parts
    return list(first.union(*others, all=True))


def _any_full(rows: list[tuple[int, int]]) -> bool:
    counts = [sum(1 for _pk, part in rows if part == each) for each in (_SUBJECTS, _MESSAGES)]
    return max(counts) > MOST_FOUND


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


def _named(text: str) -> Q:
    """That the text is the ticket's number, its sender's address, or names its customer."""
    named = Q(customer__in=_customers(text)[:MOST_CUSTOMERS])
    if number := _NUMBER.fullmatch(text):
        named |= Q(pk=int(number[1]))
    if "@" in text:
        named |= Q(requester_address=text.lower())
    return named


def _customers(text: str) -> QuerySet[Any]:
    """The ids of customers whose reference or address is the text, or whose name has its words."""
    by_name = " & ".join(f"'{word}':*" for word in re.findall(r"\w+", text))
    who = Q(reference=text)
    if "@" in text:
        who |= Q(folded=Lower(Value(text)))
    elif by_name:
        who |= Q(words=SearchQuery(by_name, config="simple", search_type="raw"))
    return (
        Customer.objects.alias(folded=Lower("email"), words=SearchVector("name", config="simple"))
        .filter(who)
        .order_by()
        .values("pk")
    )
