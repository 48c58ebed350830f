"""What a macro's text may speak of. Values are for the customer, in the language they read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from backoffice.accounts.models import User
from backoffice.customers.models import Customer, Subscription
from backoffice.display import day
from compensation.account import next_invoice_days, seen_seconds
from compensation.explanations import explain
from compensation.models import Award
from incidents.models import Incident
from support.macros.promises import RefusalError, UnknownError, of_incident, of_ticket, total
from support.models import Ticket

_COMPANY = re.compile(
    r"\b(gmbh|ag|kg|ug|ohg|gbr|se|e\.? ?v\.?|ltd|limited|llc|inc|corp|co|plc|s\.?a\.?|b\.?v\.?|"
    r"ооо|ао|зао|пао|ип)\b\.?",
    re.IGNORECASE,
)


@dataclass
class Matter:
    """The ticket that a text is written for, by whom and in which language."""

    ticket: Ticket
    by: User | None
    language: str

    @property
    def customer(self) -> Customer:
        if self.ticket.customer is None:
            raise UnknownError(_("it is not known which customer asks: say it first."))
        return self.ticket.customer

    @property
    def incident(self) -> Incident:
        if self.ticket.incident is None:
            raise UnknownError(_("the ticket is linked to no incident: link it first."))
        return self.ticket.incident

    @cached_property
    def credits(self) -> list[Award]:
        return of_incident(self.ticket, Award.Benefit.CREDIT)

    @cached_property
    def goodwill(self) -> list[Award]:
        return of_ticket(self.ticket, Award.Benefit.CREDIT)

    def day(self, at: datetime | None) -> str:
        """As the customer's language says it, in their zone."""
        zone = self.ticket.customer.time_zone if self.ticket.customer else "UTC"
        with translation.override(self.language), timezone.override(zone):
            return day(at) if at else ""


@dataclass(frozen=True, slots=True)
class Variable:
    """One name, what it stands for, and how its value is found.

    `is_public`: it tells a stranger nothing about the customer, so it may stand in a public post.
    """

    what: Any
    value: Callable[[Matter], str]
    is_public: bool = False


def _first_name(matter: Matter) -> str:
    """The first word of a person's name; empty for a company, which has none."""
    name = matter.ticket.requester_name or str(getattr(matter.ticket.customer, "name", ""))
    words = name.split()
    return "" if _COMPANY.search(name) or not words else words[0]


def _company(matter: Matter) -> str:
    return str(settings.COMPANY_NAME)


def _agent(matter: Matter) -> str:
    if matter.by is None:
        raise UnknownError(_("nobody writes this: a rule does."))
    return matter.by.get_full_name()


def _plan(matter: Matter) -> str:
    plans = Subscription.objects.filter(customer=matter.customer).exclude(status="canceled")
    return ", ".join(sorted(set(plans.values_list("plan", flat=True))))


def _minutes(matter: Matter) -> str:
    seconds = sum(seen_seconds(matter.customer, matter.incident))
    return str(seconds // 60) if seconds else ""


def _booked_on(matter: Matter) -> str:
    for award in matter.credits:
        if award.issued_at is None:
            raise RefusalError(
                _("Credit of {amount} is approved but not booked yet.").format(
                    amount=total([award], "en")
                )
            )
    return matter.day(max(award.issued_at for award in matter.credits if award.issued_at))


def _why(matter: Matter) -> str:
    return "; ".join(explain(award, matter.language) for award in matter.credits)


def _next_invoice(matter: Matter) -> str:
    days = next_invoice_days(matter.customer)
    return matter.day(days.get(matter.credits[0].currency))


def _days(benefit: str) -> Callable[[Matter], str]:
    return lambda matter: str(sum(a.days for a in of_incident(matter.ticket, benefit)))


def _until(benefit: str) -> Callable[[Matter], str]:
    def value(matter: Matter) -> str:
        awards = of_incident(matter.ticket, benefit)
        ends = [award.trial_end_target or award.priority_until for award in awards]
        return matter.day(max(end for end in ends if end is not None))

    return value


VARIABLES: dict[str, Variable] = {
    "customer.name": Variable(later("the customer's name"), lambda m: m.customer.name),
    "customer.first_name": Variable(
        later("a person's first name; empty for companies"), _first_name
    ),
    "customer.reference": Variable(later("the customer's number"), lambda m: m.customer.reference),
    "customer.plan": Variable(later("what they pay for"), _plan),
    "ticket.number": Variable(later("such as T-10482"), lambda m: m.ticket.number, is_public=True),
    "ticket.subject": Variable(later("as the ticket says it"), lambda m: m.ticket.subject),
    "ticket.created": Variable(later("the day it came in"), lambda m: m.day(m.ticket.created_at)),
    "agent.name": Variable(later("who answers"), _agent, is_public=True),
    "agent.first_name": Variable(
        later("their first name"), lambda m: _agent(m).split()[0], is_public=True
    ),
    "company.name": Variable(later("ours"), _company, is_public=True),
    "incident.title": Variable(later("what failed"), lambda m: m.incident.title, is_public=True),
    "incident.number": Variable(
        later("such as INC-2026-014"), lambda m: m.incident.number, is_public=True
    ),
    "incident.started": Variable(
        later("the day it began"), lambda m: m.day(m.incident.started_at), is_public=True
    ),
    "incident.minutes": Variable(later("how long it hit this customer"), _minutes),
    "credit.amount": Variable(
        later("what the incident gives them, once approved"), lambda m: total(m.credits, m.language)
    ),
    "credit.why": Variable(later("the sum behind it"), _why),
    "credit.booked_on": Variable(later("the day it was booked"), _booked_on),
    "credit.next_invoice": Variable(
        later("the day of the invoice that will use it"), _next_invoice
    ),
    "trial.days": Variable(
        later("days of service the incident gives, once approved"), _days(Award.Benefit.TRIAL)
    ),
    "trial.until": Variable(later("the trial's new end"), _until(Award.Benefit.TRIAL)),
    "priority.days": Variable(
        later("days of priority support, once approved"), _days(Award.Benefit.PRIORITY)
    ),
    "priority.until": Variable(later("its last day"), _until(Award.Benefit.PRIORITY)),
    "goodwill.amount": Variable(
        later("credit given from this ticket, once approved"),
        lambda m: total(m.goodwill, m.language),
    ),
    "goodwill.reason": Variable(
        later("why, as it was said when given"), lambda m: m.goodwill[-1].reason
    ),
}
