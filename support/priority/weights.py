"""The weights of the score, and who changes them."""

from functools import partial

from django.db import transaction

from backoffice.accounts.models import User
from backoffice.states import history
from compensation.authority import person_with
from support import signals
from support.models import PrioritySetting

# In the order in which they are shown and explained.
PARTS = (
    "plan", "priority_support", "incident", "waiting", "breaches", "sentiment", "value",
)  # fmt: skip


def current_weights() -> PrioritySetting:
    """The single row."""
    return PrioritySetting.objects.get()


def change_weights(setting: PrioritySetting, *, by: User, reason: str = "") -> PrioritySetting:
    """Save `setting`; every waiting ticket gets its new score by a worker.

    Raises:
        PermissionDenied.
        ValidationError: a figure is out of range, or the limits of the bands are not in order.
    """
    person = person_with(by, "support.change_prioritysetting")
    setting.full_clean()
    setting.changed_by = person
    with transaction.atomic(), history(by=person, reason=reason):
        setting.save()
        transaction.on_commit(partial(signals.weights_changed.send, sender=PrioritySetting))
    return setting
