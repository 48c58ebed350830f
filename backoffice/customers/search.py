"""Finding customers by what a person types, by indexes only."""

import re

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet
from django.db.models.functions import Lower

from backoffice.customers.models import Customer

# More than anybody reads; the caller says so when there are this many.
MOST_FOUND = 2000


def find_customers(words: str) -> list[int]:
    """The ids of at most 2,001 customers whom `words` may mean.

    Their reference or e-mail address begins with it, words of their name begin with its words
    (in any order), or one of their ids at Stripe or a subscription's reference is exactly it.

    Ids first, sorted afterwards: with ORDER BY and LIMIT in one query PostgreSQL walks the ordered
    index through the whole table when a word is rare.
    """
    words = words.strip().replace("\0", "")
    if not words:
        return []
    everybody = Customer.objects.order_by()
    found: set[int] = set()
    for query in (
        everybody.filter(reference__startswith=words),
        everybody.filter(reference__startswith=words.upper()),
        everybody.filter(stripe_customer_id=words),
        everybody.filter(subscriptions__reference=words),
        everybody.filter(subscriptions__stripe_subscription_id=words),
        everybody.alias(folded=Lower("email")).filter(folded__startswith=words.lower()),
        _named(everybody, words),
    ):
        room = MOST_FOUND + 1 - len(found)
        if room <= 0:
            break
        found.update(query.values_list("pk", flat=True)[:room])
    return sorted(found, reverse=True)


def _named(customers: QuerySet[Customer], words: str) -> QuerySet[Customer]:
    parts = re.findall(r"\w+", words)
    if not parts:
        return customers.none()
    query = " & ".join(f"'{part}':*" for part in parts)
    return customers.alias(words=SearchVector("name", config="simple")).filter(
        words=SearchQuery(query, config="simple", search_type="raw")
    )
