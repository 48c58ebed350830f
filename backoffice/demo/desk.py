"""The desk before the flood: who works there, what is promised, macros, limits and weights."""

from django.contrib.auth.models import Group

from backoffice.accounts.roles import Role
from backoffice.customers.models.customer import Language
from backoffice.demo.people import Cast
from support.models import (
    Agent,
    AutomationRule,
    Calendar,
    CalendarSlot,
    GoodwillLimit,
    Macro,
    Queue,
    SlaPolicy,
)
from support.priority import change_weights, current_weights

HOURS = ((8 * 60, 12 * 60), (13 * 60, 18 * 60))
WORKDAYS = range(5)

HELLO = {
    "en": 'Hello {{ customer.first_name | default: "there" }},\n\n',
    "de": 'Guten Tag {{ customer.first_name | default: "zusammen" }},\n\n',
}
SORRY = {
    "en": HELLO["en"] + "you are right, and we are sorry: "
    "{{ incident.title }}. It is over. For it you get {{ credit.amount }} on your next invoice."
    "\n\n{{ agent.name }}",
    "de": HELLO["de"] + "Sie haben recht, und es tut uns leid: "
    "{{ incident.title }}. Die Störung ist behoben. Dafür bekommen Sie {{ credit.amount }} auf "
    "Ihrer nächsten Rechnung gutgeschrieben.\n\n{{ agent.name }}",
}
ASK = {
    "en": HELLO["en"] + "which lights are on at your router, and since when? "
    "A photo helps.\n\n{{ agent.name }}",
    "de": HELLO["de"] + "welche Lampen leuchten an Ihrem Router, und "
    "seit wann? Ein Foto hilft uns.\n\n{{ agent.name }}",
}


def set_up_desk(cast: Cast) -> None:
    """Everything that leads and administrators set up once; call it on an empty desk."""
    _people(cast)
    _promises()
    _answers()
    _limits()
    weights = current_weights()
    weights.plan_values = {"Business": 100, "Consumer": 40}
    change_weights(weights, by=cast.lead)


def _people(cast: Cast) -> None:
    languages = (["de", "en"], ["en", "de"], ["en", "de", "ru"])
    for user, spoken in zip(cast.agents, languages, strict=True):
        Agent.objects.create(user=user, languages=[Language(code) for code in spoken], capacity=40)
    Agent.objects.create(user=cast.lead, takes_part=False)
    billing = Queue.objects.create(name="Billing", slug="billing")
    AutomationRule.objects.create(
        name="Invoices go to billing",
        on_events=["opened"],
        condition='subject ~ "invoice" or subject ~ "Rechnung" or subject ~ "счёт"',
        actions=[{"do": "set_queue", "queue": billing.slug}],
    )


def _promises() -> None:
    workdays = Calendar.objects.create(name="Office hours", time_zone="Europe/Berlin", country="DE")
    for weekday in WORKDAYS:
        for start, end in HOURS:
            CalendarSlot.objects.create(
                calendar=workdays, weekday=weekday, from_minute=start, to_minute=end
            )
    always = Calendar.objects.create(name="Day and night", time_zone="Europe/Berlin")
    for weekday in range(7):
        CalendarSlot.objects.create(
            calendar=always, weekday=weekday, from_minute=0, to_minute=24 * 60
        )
    SlaPolicy.objects.create(
        name="Business", calendar=always, condition='plan = "Business"',
        first_response_minutes=60, next_response_minutes=120, resolution_minutes=24 * 60,
    )  # fmt: skip
    SlaPolicy.objects.create(
        name="Standard", position=1, calendar=workdays,
        first_response_minutes=4 * 60, next_response_minutes=8 * 60,
    )  # fmt: skip


def _answers() -> None:
    Macro.objects.create(
        name="Sorry, with the credit",
        texts=SORRY,
        condition='incident != ""',
        actions=[
            {"do": "add_tags", "tags": ["outage"]},
            {"do": "set_status", "status": "solved"},
        ],
    )
    Macro.objects.create(name="Ask for the lights", texts=ASK, position=1)


def _limits() -> None:
    agents = Group.objects.get(name=Role.SUPPORT_AGENT)
    for currency in ("EUR", "GBP", "USD"):
        GoodwillLimit.objects.create(
            benefit="credit", role=agents, currency=currency,
            per_ticket=2500, per_day=25_000, per_customer=5000,
        )  # fmt: skip
    for benefit in ("trial", "priority"):
        GoodwillLimit.objects.create(
            benefit=benefit, role=agents, per_ticket=14, per_day=140, per_customer=30
        )
