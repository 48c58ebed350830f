"""News of this app, for its own doors."""

from django.dispatch import Signal

# Events wait to be handled; `pk` is the row that came last.
events_waiting = Signal()
