"""A customer says that something did not work for them."""

from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Component, Customer, Subscription
from backoffice.states import Movable
from compensation.models.batch import Batch
from compensation.models.policy import PolicyVersion
from incidents.models import Incident


class ClaimState(models.TextChoices):
    """The way of a claim."""

    RECEIVED = "received", _("received")
    ANSWERED = "answered", _("answered by the data")
    WITH_PERSON = "with_person", _("a person looks at it")
    SETTLED = "settled", _("settled by a person")


class Outcome(models.TextChoices):
    """What became of it."""

    AWARDED = "awarded", _("has it already")
    COUNTED = "counted", _("counted: priced when the incident is over")
    PROPOSED = "proposed", _("proposed to finance")
    NOTHING_DUE = "nothing_due", _("nothing is due")
    LATE = "late", _("after the claim window")
    NOT_OPEN = "not_open", _("the policy takes no claims")
    PERSON = "person", _("a person decides")
    ACCEPTED = "accepted", _("accepted by a person")
    DECLINED = "declined", _("declined by a person")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), exclude=["text"])
class Claim(Movable):
    """What a customer says happened to them, and what our data answered, or a person.

    `starts_at` and `ends_at` (UTC) are the customer's; `ends_at` of what still went on is when it
    was claimed. `decision` is all that the answer was made from, as data: reasons, seconds, sums in
    minor units. It stays as it was, whatever becomes of awards; the text is the customer's own, so
    the history leaves it out and it can be erased.
    """

    State = ClaimState
    Outcome = Outcome
    MOVES: ClassVar = {
        ClaimState.RECEIVED: frozenset({ClaimState.ANSWERED, ClaimState.WITH_PERSON}),
        ClaimState.ANSWERED: frozenset({ClaimState.WITH_PERSON}),
        ClaimState.WITH_PERSON: frozenset({ClaimState.SETTLED}),
        ClaimState.SETTLED: frozenset(),
    }

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="claims", verbose_name=_("customer")
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, related_name="+",
        verbose_name=_("subscription"),
    )  # fmt: skip
    # What they say did not work; empty where they do not know, or it is none of ours.
    component = models.ForeignKey(
        Component, on_delete=models.PROTECT, null=True, related_name="+",
        verbose_name=_("component"),
    )  # fmt: skip
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    goes_on = models.BooleanField(_("went on when it was claimed"), default=False)
    text = models.TextField(_("what happened"), blank=True)
    state = models.CharField(
        _("state"), max_length=20, choices=ClaimState.choices, default=ClaimState.RECEIVED
    )
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, blank=True)
    decision = models.JSONField(default=dict)
    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, null=True, related_name="claims",
        verbose_name=_("incident"),
    )  # fmt: skip
    version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+",
        verbose_name=_("policy"),
    )  # fmt: skip
    # The batch of claims that proposes it to finance.
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, null=True, related_name="claims", verbose_name=_("batch")
    )
    ticket_number = models.CharField(_("ticket"), max_length=50, blank=True)
    # A person who settled it; nobody where the data did.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(_("why"), blank=True)
    created_at = models.DateTimeField(_("claimed"), auto_now_add=True)
    # Where the host product claimed it for them: the API key's name.
    created_by_key = models.CharField(max_length=200, blank=True)
    # Of the form: sent twice, it is one claim.
    key = models.CharField(max_length=100, unique=True)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="claim_ends_after_start"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="claim_by_state"),
            models.Index(fields=["customer", "-id"], name="claim_of_customer"),
        ]
        permissions = [("settle_claim", "Can settle a claim that a person looks at")]

    def __str__(self) -> str:
        return f"C-{self.pk}"

    @property
    def number(self) -> str:
        return str(self)
