"""Emptying what names a person among customers and their users; what money refers to stays.

The customer's row keeps its reference, plan, country and Stripe's id: credits and the ledger are
theirs. Whoever sends it again (an import, the API, the mirror of Stripe) brings the name back.
"""

from collections.abc import Iterable
from typing import Any

import pghistory.models
import pgtrigger
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from backoffice.accounts.models import User
from backoffice.customers.models import Contact, Customer, PortalSession

ERASED = "(erased)"


@transaction.atomic
def empty_customer(customer: Customer) -> None:
    """Take name and address from the customer, and end every way into their account pages."""
    Customer.objects.filter(pk=customer.pk).update(name=ERASED, email="")
    PortalSession.objects.filter(customer=customer).delete()
    _forget_in_log(Customer, [customer.pk])


@transaction.atomic
def empty_users(users: Iterable[User]) -> int:
    """Take name, address and every way to sign in from portal users, and from their history.

    The rows stay, so that what they once did still has a doer; how many were emptied.
    """
    ids = [user.pk for user in users if not user.is_staff]
    for pk in ids:
        user = User.objects.get(pk=pk)
        user.email, user.full_name, user.is_active = address_of_nobody(pk), ERASED, False
        user.set_unusable_password()  # which ends their sessions, too
        user.save(update_fields=["email", "full_name", "is_active", "password"])
    Contact.objects.filter(user__in=ids).delete()
    EmailAddress.objects.filter(user__in=ids).delete()
    Authenticator.objects.filter(user__in=ids).delete()
    _forget_in_log(User, ids)
    _forget_in_history(ids)
    return len(ids)


def address_of_nobody(pk: int) -> str:
    """Stands for an address where one must be: no mail can go there (RFC 2606)."""
    return f"erased-{pk}@erased.invalid"


def _forget_in_log(model: type[Any], ids: list[int]) -> None:
    """Django's log of the admin repeats what a row was called."""
    kind = ContentType.objects.get_for_model(model)
    rows = LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in ids])
    rows.update(object_repr=ERASED, change_message="")


def _forget_in_history(ids: list[int]) -> None:
    """The history is append-only for everybody but the law: names and addresses leave it."""
    events: Any = apps.get_model("accounts", "UserEvent")
    with pgtrigger.ignore("accounts.UserEvent:append_only"):
        for pk in ids:
            events.objects.filter(pgh_obj_id=pk).update(
                email=address_of_nobody(pk), full_name=ERASED
            )
    # From where they did something: the address of their connection.
    for context in pghistory.models.Context.objects.filter(metadata__user__in=ids).iterator():
        context.metadata.pop("address", None)
        context.save(update_fields=["metadata"])
