"""Forms that speak of customers."""

from pathlib import Path
from typing import Any

from allauth.account.forms import RequestLoginCodeForm
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
)

from backoffice.accounts.models import User
from backoffice.customers.contacts import ensure_contact
from backoffice.customers.importing.records import LARGEST_UPLOAD
from backoffice.customers.models import CustomerImport


class RequestCodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Sends a sign-in code to staff, and to customers by the address we know of them."""

    _user: User | None

    def clean_email(self) -> str:
        # After the limit on attempts, which is the parent's.
        email: str = super().clean_email()
        if email and (self._user is None or not self._user.is_staff):
            self._user = ensure_contact(email)
        return email


class ImportForm(forms.Form):
    """A file of customers and how to read it."""

    LAST = "last"
    OWN = "own"

    file = forms.FileField(
        label=_("CSV file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text=_("With a header. At most 64 MiB; the command takes larger ones."),
    )
    map_choice = forms.ChoiceField(label=_("Map"), widget=UnfoldAdminSelectWidget)
    map_text = forms.CharField(
        label=_("Map of your own"),
        required=False,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text=_("TOML; docs/importing.md and the samples say how. Stands above the choice."),
    )
    as_of = forms.DateField(
        label=_("The file speaks of"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("Tenures count back from this day (UTC). Empty: the map's day, else today."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._last = (
            CustomerImport.objects.filter(state=CustomerImport.State.IMPORTED)
            .only("file_name", "map_text")
            .first()
        )
        choices: list[tuple[str, Any]] = []
        if self._last is not None:
            choices.append((self.LAST, _("As for %s, the last import") % self._last.file_name))
        choices += [(path.name, path.name) for path in _samples()]
        choices.append((self.OWN, _("My own, below")))
        choice: Any = self.fields["map_choice"]
        choice.choices = choices

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError(_("The file is too large: use manage.py import_customers."))
        return file

    def clean(self) -> dict[str, Any]:
        """`map_text` is the map to use, wherever it came from."""
        cleaned = super().clean() or {}
        if cleaned.get("map_text", "").strip() or "map_choice" not in cleaned:
            return cleaned
        choice = cleaned["map_choice"]
        if choice == self.OWN:
            self.add_error("map_text", _("Write a map, or choose one."))
        elif choice == self.LAST and self._last is not None:
            cleaned["map_text"] = self._last.map_text
        else:
            paths = {path.name: path for path in _samples()}
            cleaned["map_text"] = paths[choice].read_text(encoding="utf-8")
        return cleaned


def _samples() -> list[Path]:
    """The maps that come with the project."""
    return sorted((Path(settings.BASE_DIR) / "docs" / "maps").glob("*.toml"))
