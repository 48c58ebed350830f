"""An open desk: the general queue, a customer's ticket with its first message."""

import factory

from backoffice.accounts.roles import Role
from support.models import Agent, Message, Queue, Ticket
from support.tickets import open_ticket
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory


class QueueFactory(factory.django.DjangoModelFactory[Queue]):
    class Meta:
        model = Queue

    name = factory.Sequence(lambda n: f"Queue {n}")
    slug = factory.Sequence(lambda n: f"queue-{n}")


def agent(*queues, role=Role.SUPPORT_AGENT, **fields):
    """A support agent who is a member of `queues`; `fields` are those of `Agent`."""
    user = staff(role)
    Agent.objects.create(user=user, **fields)
    user.queues.set(queues)
    return user


class TicketFactory(factory.django.DjangoModelFactory[Ticket]):
    """A row as it is; `open_ticket` makes one as the desk does, with message and timeline."""

    class Meta:
        model = Ticket

    subject = factory.Sequence(lambda n: f"No internet since {n} pm")
    channel = Ticket.Channel.EMAIL
    queue = factory.LazyFunction(lambda: Queue.objects.get(is_default=True))
    customer = factory.SubFactory(CustomerFactory)
    requester_address = factory.LazyAttribute(lambda o: o.customer.email if o.customer else "")


class MessageFactory(factory.django.DjangoModelFactory[Message]):
    class Meta:
        model = Message

    ticket = factory.SubFactory(TicketFactory)
    kind = Message.Kind.PUBLIC
    direction = Message.Direction.IN
    channel = factory.LazyAttribute(lambda o: o.ticket.channel)
    text = factory.Sequence(lambda n: f"It does not work, attempt {n}.")


def opened(**fields):
    """A ticket by the verb: a customer's mail about an outage."""
    customer = fields.pop("customer", None) or CustomerFactory.create(email="ada@example.com")
    return open_ticket(
        **{
            "subject": "No internet",
            "text": "Nothing works since two.",
            "channel": Ticket.Channel.EMAIL,
            "customer": customer,
        }
        | fields
    )
