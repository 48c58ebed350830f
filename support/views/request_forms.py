"""The forms on which customers and the public write."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.customers.models import Customer
from backoffice.display import day
from compensation.account import running_incidents_of
from support.attachments import check_attachment, clean_name
from support.requests import MOST_FILES, About, components_of

LONGEST_TEXT = 50_000


class FilesInput(forms.ClearableFileInput):
    """Takes several files."""

    template_name = "django/forms/widgets/file.html"
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each checked; what is wrong is said with the file's name and the remedy."""

    def __init__(self, *, most: int = MOST_FILES, **kwargs: Any) -> None:
        self.most = most
        given: dict[str, Any] = {
            "label": gettext_lazy("Attachments"),
            "required": False,
            "widget": FilesInput,
            "help_text": gettext_lazy("Pictures, texts or documents. You may choose several."),
        }
        super().__init__(**given | kwargs)

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        files = [one for one in data or [] if one]
        if len(files) > self.most:
            words = _("These are %(count)s files: send at most %(most)s at once.")
            raise ValidationError(words % {"count": len(files), "most": self.most})
        problems = [problem for file in files for problem in _problems(file)]
        if problems:
            problems.append(_("Please choose the other files once more."))
            raise ValidationError(problems if len(files) > 1 else problems[:1])
        return files


class AnswerForm(forms.Form):
    """A further word in a request. `key` is this form's own: sent twice, it counts once."""

    text = forms.CharField(
        label=gettext_lazy("Your message"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": gettext_lazy("Write something first.")},
    )
    attachments = FilesField()
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class RequestForm(AnswerForm):
    """A new request of a signed-in customer."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say in a few words what it is about.")},
    )
    about = forms.ChoiceField(
        label=gettext_lazy("Is it about one of these?"), required=False, widget=forms.RadioSelect
    )
    field_order = ("about", "subject", "text", "attachments", "key")

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[str, About] = {}
        choices: list[tuple[str, Any]] = []
        for incident in running_incidents_of(customer):
            began = incident.started_at
            told = _("%(title)s, since %(day)s, %(clock)s") % {
                "title": incident.title,
                "day": day(began),
                "clock": timezone.localtime(began).strftime("%H:%M"),
            }
            self._add(choices, f"incident-{incident.pk}", told, About(incident=incident))
        for component in components_of(customer):
            self._add(
                choices, f"component-{component.pk}", component.name, About(component=component)
            )
        if choices:
            choices.append(("", _("Something else")))
            self.fields["about"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["about"]

    def clean_about(self) -> About:
        return self._known.get(self.cleaned_data["about"], About())

    def _add(self, choices: list[tuple[str, Any]], value: str, words: str, about: About) -> None:
        choices.append((value, words))
        self._known[value] = about


def _problems(file: "UploadedFile[Any]") -> list[str]:
    """Why this file cannot be kept; its name and the remedy stand in each."""
    try:
        check_attachment(clean_name(file.name or ""), file.read())
    except ValidationError as error:
        return error.messages
    finally:
        file.seek(0)
    return []
