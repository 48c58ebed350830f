"""Widgets of the admin's forms that speak of customers."""

from typing import Any

from django import forms
from django.urls import reverse_lazy
from unfold.widgets import UnfoldAdminTextareaWidget


class ConditionWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A text area for a condition, with completion of fields and known values.

    The script wakes up when the area is entered, so rows added to a formset complete as well.
    """

    # Where the fields are told; those of another schema for a widget of another app.
    fields_url = "condition-fields"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {
                "rows": 2,
                "spellcheck": "false",
                "autocomplete": "off",
                "data-condition-fields": reverse_lazy(self.fields_url),
                **(attrs or {}),
            }
        )

    @property
    def media(self) -> forms.Media:
        return forms.Media(
            css={"all": ["djangoql/css/completion.css", "customers/condition.css"]},
            js=["djangoql/js/completion.js", "customers/condition.js"],
        )
