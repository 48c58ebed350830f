"""A file of customers that was looked at or imported."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable


class CustomerImport(Movable):
    """One file under one map: what an import would do, then what it did.

    `content` (zlib) is kept between the preview and the confirmation only. `report` is
    `importing.Report.as_dict()`.
    """

    class State(models.TextChoices):
        PREVIEWED = "previewed", _("waits for confirmation")
        IMPORTED = "imported", _("imported")
        DISCARDED = "discarded", _("discarded")

    MOVES: ClassVar = {
        State.PREVIEWED: frozenset({State.IMPORTED, State.DISCARDED}),
        State.IMPORTED: frozenset(),
        State.DISCARDED: frozenset(),
    }

    state = models.CharField(
        _("state"), max_length=20, choices=State.choices, default=State.PREVIEWED
    )
    file_name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64)
    map_text = models.TextField(_("map"))
    as_of = models.DateField(_("reference date"), null=True, blank=True)
    content = models.BinaryField(null=True, editable=False)
    report = models.JSONField(_("report"), default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True,
        related_name="+", verbose_name=_("by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    imported_at = models.DateTimeField(_("imported"), null=True, blank=True)

    class Meta:
        verbose_name = _("import of customers")
        verbose_name_plural = _("imports of customers")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name
