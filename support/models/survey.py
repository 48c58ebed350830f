"""What customers think of an answer, or of us after an incident."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from compensation.models import Award
from incidents.models import Incident
from support.models.ticket import Ticket


class Survey(models.Model):
    """One question to one person, answered once by a link that only they have.

    CSAT (1 to 5) after a ticket is solved; NPS (0 to 10) some weeks after an incident that hit
    the customer. `award` is what they got for it, so that effect can be measured.
    """

    class Kind(models.TextChoices):
        CSAT = "csat", _("satisfaction")
        NPS = "nps", _("recommendation")

    kind = models.CharField(max_length=4, choices=Kind.choices)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, null=True, related_name="surveys")
    incident = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, related_name="surveys"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, related_name="surveys"
    )
    award = models.ForeignKey(Award, on_delete=models.SET_NULL, null=True, related_name="+")
    address = models.CharField(max_length=320, blank=True)
    # SHA-256 of the link's secret; the secret itself stands only in the mail.
    token_hash = models.CharField(max_length=64, unique=True)
    sent_at = models.DateTimeField(null=True)
    # Why it could not be sent and never will be.
    delivery_error = models.CharField(max_length=500, blank=True)
    score = models.PositiveSmallIntegerField(_("score"), null=True)
    comment = models.TextField(_("comment"), blank=True)
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "customer"], name="survey_nps_once", condition=Q(kind="nps")
            ),
            models.UniqueConstraint(
                fields=["ticket"], name="survey_csat_once", condition=Q(kind="csat")
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True)
                | Q(kind="csat", score__gte=1, score__lte=5)
                | Q(kind="nps", score__gte=0, score__lte=10),
                name="survey_score_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="survey_customer"),
            models.Index(
                fields=["id"],
                name="survey_to_send",
                condition=Q(sent_at=None, delivery_error=""),
            ),
            models.Index(fields=["created_at"], name="survey_created"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.score}"
