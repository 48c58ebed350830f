"""Who is meant, and where they stand in the desk's rows."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from support.models import Attachment, Inbound, Message, Survey, Ticket, UnconfirmedRequest


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with everybody who speaks for them, or one address (lower case)."""

    customer: Customer | None = None
    address: str = ""

    def __str__(self) -> str:
        return str(self.customer) if self.customer else self.address

    @property
    def address_hash(self) -> str:
        """Tells whether an address is the same, and nothing else."""
        if not self.address:
            return ""
        return salted_hmac("support.privacy", self.address, algorithm="sha256").hexdigest()

    def users(self) -> list[User]:
        """Who signs in as them."""
        rows = User.objects.filter(is_staff=False).order_by("pk")
        if self.customer is not None:
            return list(rows.filter(contact__customer=self.customer))
        return list(rows.alias(folded=Lower("email")).filter(folded=self.address))

    def addresses(self) -> list[str]:
        """Theirs, lower case. Of a customer that is erased already: none."""
        known = {self.address, self.customer.email if self.customer else ""}
        known |= {user.email for user in self.users()}
        return sorted({one.lower() for one in known} - {""})

    def tickets(self) -> QuerySet[Ticket]:
        """Theirs, those included that somebody wrote with their address."""
        wrote = Q(requester_address__in=self.addresses())
        if self.customer is None:
            return Ticket.objects.filter(wrote)
        own = Q(customer=self.customer) | Q(supposed_customer=self.customer)
        return Ticket.objects.filter(own | wrote & Q(customer=None))

    def messages(self) -> QuerySet[Message]:
        """All of their tickets, ours and notes included: they speak of them."""
        return Message.objects.filter(ticket__in=self.tickets())

    def messages_elsewhere(self) -> QuerySet[Message]:
        """What they wrote, or were copied into, in tickets of others."""
        addresses = self.addresses()
        found = Q(author_address__in=addresses) | Q(to__overlap=addresses)
        found |= Q(cc__overlap=addresses)
        return Message.objects.filter(found).exclude(ticket__in=self.tickets())

    def attachments(self) -> QuerySet[Attachment]:
        """Files of their tickets, drafts included."""
        theirs = self.tickets()
        wrote = self.messages_elsewhere().filter(author_address__in=self.addresses())
        return Attachment.objects.filter(
            Q(message__ticket__in=theirs) | Q(draft__ticket__in=theirs) | Q(message__in=wrote)
        )

    def inbound(self) -> QuerySet[Inbound]:
        """Raw mail: of their tickets, and what could not be made a ticket and names them."""
        wrote = self.messages_elsewhere().filter(author_address__in=self.addresses())
        return Inbound.objects.filter(
            Q(ticket__in=self.tickets()) | Q(message__ticket__in=self.tickets())
            | Q(message__in=wrote)
        )  # fmt: skip

    def surveys(self) -> QuerySet[Survey]:
        """What they were asked."""
        theirs = Q(ticket__in=self.tickets()) | Q(address__in=self.addresses())
        if self.customer is not None:
            theirs |= Q(customer=self.customer)
        return Survey.objects.filter(theirs)

    def unconfirmed(self) -> QuerySet[UnconfirmedRequest]:
        """What waits on the public form."""
        return UnconfirmedRequest.objects.filter(address__in=self.addresses())


def person_of(*, customer: Customer | None = None, address: str = "") -> Person:
    """The customer, or who has the address: the one customer with it, else just the address.

    Raises:
        ValidationError: nobody is named, the address is staff's, or that of several customers.
    """
    address = address.strip().lower()
    if customer is not None:
        return Person(customer=customer)
    if "@" not in address:
        raise ValidationError({"address": _("Give an e-mail address, or choose a customer.")})
    if User.objects.filter(email__iexact=address, is_staff=True).exists():
        raise ValidationError({"address": _("This is a colleague's address: see their user.")})
    customers = list(Customer.objects.alias(folded=Lower("email")).filter(folded=address)[:2])
    if len(customers) > 1:
        raise ValidationError(
            {"address": _("Several customers have this address: choose one of them.")}
        )
    return Person(customer=customers[0]) if customers else Person(address=address)
