"""How much is kept about a person, in numbers."""

from dataclasses import asdict, dataclass

from compensation.models import Award, LedgerEntry
from compensation.models.award import AwardState
from support.privacy.person import Person

_KEPT = [state for state in AwardState if state not in {AwardState.PROPOSED, AwardState.EXCLUDED}]


@dataclass(frozen=True, slots=True)
class Figures:
    """What an erasure empties, and what it keeps."""

    tickets: int = 0
    messages: int = 0
    files: int = 0
    raw_mails: int = 0
    surveys: int = 0
    users: int = 0
    awards: int = 0
    ledger_entries: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def figures_of(person: Person) -> Figures:
    """Counted now. Messages are those of their tickets and those they wrote in others'."""
    elsewhere = person.messages_elsewhere().filter(author_address__in=person.addresses())
    customer = person.customer
    return Figures(
        tickets=person.tickets().count(),
        messages=person.messages().count() + elsewhere.count(),
        files=person.attachments().count(),
        raw_mails=person.inbound().count(),
        surveys=person.surveys().count(),
        users=len(person.users()),
        awards=Award.objects.filter(customer=customer, state__in=_KEPT).count() if customer else 0,
        ledger_entries=LedgerEntry.objects.filter(customer=customer).count() if customer else 0,
    )
