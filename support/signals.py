"""News within the desk, sent after the commit: rows are waiting, and somebody may be woken."""

from django.dispatch import Signal

# Ticket events wait to be processed.
events_recorded = Signal()
# Messages wait to be sent, some of them at once.
messages_queued = Signal()
# A mass reply waits to be written.
mass_reply_started = Signal()
# What came in waits to be handled.
inbound_stored = Signal()
# Deadlines must be worked out anew: a promise or a calendar was changed.
promises_changed = Signal()
# The weights of the priority were changed: every waiting ticket has another score.
weights_changed = Signal()
# News for other systems waits to be sent.
deliveries_stored = Signal()
# Colleagues are to be told something.
staff_notices_stored = Signal()
# Mails that are no messages of a ticket wait to be sent.
mails_waiting = Signal()
# A person's data is to be erased.
erasures_asked = Signal()
