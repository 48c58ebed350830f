"""Who writes, and in which language."""

import re
from functools import cache

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Lower
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from backoffice.customers.models import Contact, Customer
from backoffice.customers.models.customer import Language
from support.models import Message, Ticket

# Shorter texts tell nothing, and more is not looked at.
FEWEST_LETTERS = 12
LOOKED_AT_CHARACTERS = 2_000


def customer_of(address: str) -> Customer | None:
    """The one customer with this e-mail address, or whom its user speaks for; None for several."""
    if not address:
        return None
    folded = address.lower()
    found = list(Customer.objects.alias(folded=Lower("email")).filter(folded=folded)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        return None
    contact = _contacts(folded).select_related("customer", "user").first()
    return contact.customer if contact is not None and contact.counts else None


def belongs(address: str, ticket: Ticket) -> bool:
    """Whether who writes from `address` takes part in the ticket.

    Its requester and customer, the customer's contacts, and whom any of these (or we) wrote to or
    copied in it.
    """
    if not address:
        return False
    if address == ticket.requester_address.lower():
        return True
    if ticket.customer_id and _speaks_for(address, ticket):
        return True
    rows = ticket.messages.exclude(kind=Message.Kind.INTERNAL)
    return any(
        address in {author.lower(), *(one.lower() for one in (*to, *cc))}
        for author, to, cc in rows.values_list("author_address", "to", "cc")[:500]
    )


def language_of(text: str, default: str = "") -> str:
    """The language of `text` among those we speak; `default` (or ours) where it is too short."""
    default = default or settings.LANGUAGE_CODE[:2]
    looked_at = text[:LOOKED_AT_CHARACTERS]
    if len(re.findall(r"[^\W\d_]", looked_at)) < FEWEST_LETTERS:
        return default
    return str(_identifier().classify(looked_at)[0])


@cache
def _identifier() -> LanguageIdentifier:
    """py3langid's model for our languages alone; loaded at the first use, some tens of MB."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages([language.value for language in Language])
    return identifier


def _speaks_for(address: str, ticket: Ticket) -> bool:
    customer = ticket.customer
    if customer is None:
        return False
    if customer.email.lower() == address:
        return True
    contact = _contacts(address).filter(customer=customer).select_related("customer", "user")
    return any(one.counts for one in contact)


def _contacts(address: str) -> QuerySet[Contact]:
    return Contact.objects.alias(folded=Lower("user__email")).filter(folded=address)
