"""A ticket as it is now."""

from support.models import Ticket


def locked(ticket: Ticket) -> Ticket:
    """The row, locked until the transaction ends. Of a merged ticket, where it went on."""
    row = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    while row.merged_into_id:
        row = Ticket.objects.select_for_update(of=("self",)).get(pk=row.merged_into_id)
    return row


def shown(ticket: Ticket) -> Ticket:
    """Bring the caller's object up to date with the row that was changed."""
    ticket.refresh_from_db()
    return ticket
