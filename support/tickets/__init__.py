"""What is done with tickets. Every change goes through here and leaves a line in the timeline."""

from support.tickets.assigning import assign, check_can_work, set_queue
from support.tickets.labels import (
    change_tags,
    change_ticket,
    clean_tags,
    raise_priority,
    set_customer,
)
from support.tickets.locking import locked, shown
from support.tickets.merging import merge_ticket, set_parent, split_ticket
from support.tickets.messages import add_note, answered, receive_message, reply, take_back
from support.tickets.opening import default_queue, open_ticket
from support.tickets.statuses import move_ticket, set_status

__all__ = [
    "add_note",
    "answered",
    "assign",
    "change_tags",
    "change_ticket",
    "check_can_work",
    "clean_tags",
    "default_queue",
    "locked",
    "merge_ticket",
    "move_ticket",
    "open_ticket",
    "raise_priority",
    "receive_message",
    "reply",
    "set_customer",
    "set_parent",
    "set_queue",
    "set_status",
    "shown",
    "split_ticket",
    "take_back",
]
