"""The form of people without an account, and what tells them from machines."""

import uuid
from datetime import timedelta

from django import forms
from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext_lazy

from backoffice.customers.models.customer import Language
from support.contact import Submission
from support.proof_of_work import is_solved
from support.views.request_forms import LONGEST_TEXT, FilesField

# A person needs longer than this to write, and no longer than that to send.
FEWEST_SECONDS = 3
LONGEST_OPEN = timedelta(hours=24)
_SALT = "support.contact.form"
# Of one message; who has an account may send more.
MOST_FILES = 5


def shown_now() -> str:
    """The mark of a form that is shown now."""
    return signing.dumps(timezone.now().timestamp(), salt=_SALT)


class ContactForm(forms.Form):
    """Name, address, subject, text, files, language; and the marks of a person.

    `homepage` stands where nobody sees it: only machines fill it in. `since` is when the form was
    shown, signed. `work` is what the page's script has worked out.
    """

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    address = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=320,
        help_text=gettext_lazy("Our answer goes there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Give an address, or nobody can answer you."),
            "invalid": gettext_lazy("This is no e-mail address: write it like name@example.com."),
        },
    )
    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say in a few words what it is about.")},
    )
    text = forms.CharField(
        label=gettext_lazy("Your message"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": gettext_lazy("Write something first.")},
    )
    attachments = FilesField(most=MOST_FILES)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of our answer"),
        choices=[("en", "English"), ("de", "Deutsch"), ("ru", "Русский")],
    )
    homepage = forms.CharField(
        label=gettext_lazy("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    since = forms.CharField(widget=forms.HiddenInput, required=False, initial=shown_now)
    work = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_address(self) -> str:
        return str(self.cleaned_data["address"]).lower()

    def clean_language(self) -> str:
        return Language(self.cleaned_data["language"]).value

    @property
    def submission(self) -> Submission:
        said = self.cleaned_data
        return Submission(
            key=said["key"],
            address=said["address"],
            subject=said["subject"],
            text=said["text"],
            language=said["language"],
            name=said["name"],
        )

    def is_persons(self) -> bool:
        """Whether it may become a ticket at once. Uses the work up: ask once, when all is valid."""
        said = self.cleaned_data
        return not said["homepage"] and _took_time(said["since"]) and is_solved(said["work"])


def _took_time(since: str) -> bool:
    try:
        shown_at = float(signing.loads(since, salt=_SALT, max_age=LONGEST_OPEN))
    except signing.BadSignature:
        return False
    return timezone.now().timestamp() - shown_at >= FEWEST_SECONDS
