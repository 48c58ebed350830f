"""Whom a command on the command line means."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from backoffice.customers.models import Customer
from support.privacy import Person, person_of


def add_person_arguments(parser: CommandParser) -> None:
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--customer", default="", help="the customer's reference")
    whom.add_argument("--address", default="", help="an e-mail address")


def person_from(options: dict[str, Any]) -> Person:
    if not options["customer"]:
        try:
            return person_of(address=options["address"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
    customer = Customer.objects.filter(reference=options["customer"]).first()
    if customer is None:
        raise CommandError(f"There is no customer “{options['customer']}”.")
    return person_of(customer=customer)
