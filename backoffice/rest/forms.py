"""What an administrator may set about an API key."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from backoffice.rest.models import ApiKey, Scope


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A name and scopes for a new key; for an old one, whether it is revoked."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[(scope.value, f"{scope.value}: {scope.label}") for scope in Scope],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("As few as it needs. No key can approve or issue: that takes a person."),
    )

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("name", "scopes", "expiry_date", "revoked")

    def clean_scopes(self) -> list[Any]:
        return list(self.cleaned_data["scopes"])
