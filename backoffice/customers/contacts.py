"""The users who speak for a customer."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from backoffice.accounts.models import User
from backoffice.customers.models import Contact, Customer


def ensure_contact(email: str) -> User | None:
    """The user who may sign in to account pages by a code sent to `email`, made now if need be.

    None where the address belongs to staff, to no customer or to several (nobody could say
    which account to show), or where the user was deactivated. The caller must not let a stranger
    tell one from the other.
    """
    email = email.strip().lower()
    if not email:
        return None
    user = _users(email).first()
    if user is not None and (user.is_staff or not user.is_active):
        return None
    contact = (
        Contact.objects.filter(user=user).select_related("customer", "user").first()
        if user
        else None
    )
    if contact is not None and contact.counts:
        return user
    customers = list(Customer.objects.alias(folded=Lower("email")).filter(folded=email)[:2])
    if len(customers) != 1:
        return None
    try:
        return _make_contact(customers[0], email, user)
    except IntegrityError:
        # Somebody asked for a code twice at once: the other request has made it.
        return _users(email).filter(is_staff=False, is_active=True).first()


def _users(email: str) -> QuerySet[User]:
    """Those with this address, in whatever case; by the index on lower(email)."""
    return User.objects.alias(folded=Lower("email")).filter(folded=email)


@transaction.atomic
def _make_contact(customer: Customer, email: str, user: User | None) -> User:
    if user is None:
        speaks = dict(User._meta.get_field("language").choices or ())
        user = User.objects.create_user(
            email,
            full_name=customer.name,
            language=customer.language if customer.language in speaks else "en",
            time_zone=customer.time_zone,
        )
    Contact.objects.update_or_create(user=user, defaults={"customer": customer, "by_email": True})
    return user
