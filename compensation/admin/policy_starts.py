"""Starting from what is there: ready-made policies, and files of policies with their examples."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminFileFieldWidget

from compensation import policies, policy_files, ready_made, wording
from compensation.admin.doors import call, post_only
from compensation.admin.example_results import Shown, tally
from compensation.models import Policy, PolicyVersion
from compensation.policy_files import PolicyFile
from compensation.policy_files.settling import settle

ADD = "compensation.add_policy"
ROWS_TOLD = 2


class FileForm(forms.Form):
    """A file as `manage.py import_policies` reads it, or its text, once it was looked at."""

    file = forms.FileField(
        label=gettext_lazy("File of policies"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".json,application/json"}),
    )
    text = forms.CharField(required=False, widget=forms.HiddenInput)
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$",
        label=gettext_lazy("Currency, where the file does not say"),
        initial=policy_files.DEFAULT_CURRENCY,
        widget=forms.TextInput({"class": "am-field", "maxlength": 3}),
        error_messages={"invalid": gettext_lazy("Write a code of three letters, such as EUR.")},
    )

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def content(self) -> bytes:
        """What was sent; raises ValidationError where there is nothing, or nothing usable."""
        if not self.is_valid():
            raise ValidationError([error for said in self.errors.values() for error in said])
        file = self.cleaned_data.get("file")
        if file is not None:
            return bytes(file.read(policy_files.LARGEST_BYTES + 1))
        text: str = self.cleaned_data.get("text") or ""
        if not text:
            raise ValidationError(_("Choose a file."))
        return text.encode()


@dataclass(frozen=True)
class Checked:
    """One policy of a file, with how its examples come out, or why they cannot be priced."""

    read: PolicyFile
    results: list[Shown]
    problems: list[str]
    is_there: bool

    @property
    def differing(self) -> list[Shown]:
        return [one for one in self.results if not one.is_exact]

    @property
    def counts(self) -> dict[str, int]:
        return tally(self.results)


@dataclass(frozen=True)
class Template:
    """A ready-made policy in the list."""

    key: str
    read: PolicyFile
    gives: str
    version: PolicyVersion | None

    def fits(self, words: str) -> bool:
        policy = self.read.policy
        all_of_it = f"{policy.name} {self.read} {policy.source} {self.gives}".casefold()
        return all(word in all_of_it for word in words.casefold().split())


def ready_made_page(request: HttpRequest) -> HttpResponse:
    """The ready-made policies, and a place for a file of one's own."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    words = request.GET.get("q", "").strip()
    templates = _templates()
    context = {
        "templates": [one for one in templates if one.fits(words)],
        "all": len(templates),
        "words": words,
        "form": FileForm(),
    }
    return _page(request, "ready_made", _("Start from a published policy"), context)


def install_policy(request: HttpRequest) -> HttpResponse:
    """One of them as a draft, and there."""
    if refusal := post_only(request, ADD):
        return refusal
    user: Any = request.user
    made: list[PolicyVersion] = []
    key = request.POST.get("key", "")
    said = _("A draft to read, change and activate.")
    if call(request, lambda: made.append(policies.install_ready_made(key, by=user)), said):
        return redirect("admin:compensation_policyversion_change", made[0].pk)
    return redirect("admin:compensation_policy_ready_made")


def import_policies(request: HttpRequest) -> HttpResponse:
    """First what a file would bring, then, told so, its drafts."""
    if refusal := post_only(request, ADD):
        return refusal
    form = FileForm(request.POST, request.FILES)
    try:
        content = form.content()
        reading = policy_files.read_policies(content, currency=form.cleaned_data["currency"])
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
        return redirect("admin:compensation_policy_ready_made")
    checked = [_check(one) for one in reading.policies]
    good = [one for one in checked if not one.problems]
    if request.POST.get("then") == "create" and good:
        return _create(request, good)
    context = {
        "checked": checked,
        "problems": reading.problems,
        "warnings": reading.warnings,
        "good": len(good),
        "differing": sum(len(one.differing) for one in checked),
        "text": content.decode("utf-8-sig"),
        "currency": form.cleaned_data["currency"],
    }
    return _page(request, "import", _("What the file would bring"), context)


def _create(request: HttpRequest, good: list[Checked]) -> HttpResponse:
    """All of them or none."""
    user: Any = request.user

    def create() -> None:
        with transaction.atomic():
            for one in good:
                policies.import_policy(one.read, by=user)

    said = ngettext("{n} draft was made.", "{n} drafts were made.", len(good)).format(n=len(good))
    call(request, create, said)
    return redirect("admin:compensation_policy_changelist")


def _check(read: PolicyFile) -> Checked:
    is_there = Policy.objects.filter(key=read.policy.key).exists()
    try:
        read, results, _warnings = settle(read)
    except ValidationError as error:
        return Checked(read, [], [f"{read}: {message}" for message in error.messages], is_there)
    return Checked(read, [Shown.of(result) for result in results], [], is_there)


def _templates() -> list[Template]:
    installed = {
        version.policy.key: version
        for version in PolicyVersion.objects.select_related("policy").order_by("number")
    }
    found = []
    for key in ready_made.keys():  # noqa: SIM118 - a function
        read = ready_made.read(key)
        found.append(Template(key, read, _gives(read), installed.get(read.policy.key)))
    return sorted(found, key=lambda one: one.read.policy.name.casefold())


def _gives(read: PolicyFile) -> str:
    """Its first rows in one line."""
    said = [
        f"{wording.who_and_when(rule)}: {wording.gives(rule, read.version)}"
        for rule in read.rules[:ROWS_TOLD]
    ]
    more = len(read.rules) - ROWS_TOLD
    if more > 0:
        said.append(ngettext("{n} row more", "{n} rows more", more).format(n=more))
    return "; ".join(said)


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(
        request,
        f"admin/compensation/policy/{name}.html",
        {
            **admin.site.each_context(request),
            "opts": Policy._meta,
            "title": title,
            **context,
        },
    )
