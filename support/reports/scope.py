"""Which tickets a report is about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from support.models import Queue, Ticket
from support.models.ticket import TicketQuerySet

LONGEST = timedelta(days=732)


@dataclass(frozen=True, slots=True)
class Scope:
    """Tickets opened from `first` to `last`, both whole days in UTC, as far as `reader` sees them.

    Raises:
        ValidationError: the days are in the wrong order, or more than two years apart.
    """

    reader: User | None
    first: date
    last: date
    queue: Queue | None = None
    agent: User | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValidationError({"last": _("The last day cannot be before the first.")})
        if self.last - self.first > LONGEST:
            raise ValidationError({"first": _("A report covers two years at most.")})

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last, time.min, UTC) + timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def opened(self) -> TicketQuerySet:
        """Those opened in the range; what was merged away counts where it went on."""
        return self._mine().filter(
            created_at__gte=self.start, created_at__lt=self.end, merged_into=None
        )

    def unsolved(self) -> TicketQuerySet:
        """Those not over now, whenever they were opened."""
        return self._mine().unsolved()

    def _mine(self) -> TicketQuerySet:
        tickets: TicketQuerySet = (
            Ticket.objects.seen_by(self.reader) if self.reader else Ticket.objects.all()
        )
        if self.queue:
            tickets = tickets.filter(queue=self.queue)
        if self.agent:
            tickets = tickets.filter(assignee=self.agent)
        ordered: TicketQuerySet = tickets.order_by()
        return ordered
