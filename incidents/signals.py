"""News that travels upward."""

from django.dispatch import Signal

# Sent after the commit, with `incident` and `by` (a user or None): it is over, its outages have
# ended and its cohorts are resolved. Sent again when a reopened incident is resolved again.
incident_resolved = Signal()
