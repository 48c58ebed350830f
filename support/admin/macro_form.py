"""A macro as a lead writes it: a text a language, and what it does, a line an action."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from backoffice.customers.models.customer import Language
from support.actions import check_actions
from support.conditions import ConditionError, parse_ticket_condition
from support.macros import VARIABLES, check_texts
from support.models import Macro, Message
from support.widgets import TicketConditionWidget

# What each action is given, as its line says it: a list, or one word or text.
_LISTS = {"add_tags": "tags", "remove_tags": "tags"}
_WORDS = {
    "set_status": "status",
    "assign": "to",
    "set_queue": "queue",
    "raise_priority": "band",
    "set_language": "language",
    "note": "text",
    "macro": "name",
}
_LINE = re.compile(r"\s*([a-z_]+)\s*:\s*(.*?)\s*")
# A macro that applies a macro would never end; "notify" is for rules, nobody waits for it here.
NOT_HERE = frozenset({"macro"})
ACTIONS_HELP = later(
    "A line each: add_tags: outage, vip · remove_tags: … · set_status: solved · assign: me, an "
    "e-mail address or nobody · set_queue: billing · raise_priority: high · set_language: de · "
    "note: … · notify: assignee, ann@example.com | the text"
)


class ActionsField(forms.CharField):
    """`support.actions` as lines such as “add_tags: outage, vip”."""

    without = NOT_HERE

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_line, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[dict[str, Any]]:
        lines = [line for line in str(value or "").splitlines() if line.strip()]
        if self.required and not lines:
            raise ValidationError(self.error_messages["required"], code="required")
        actions = [_action(line) for line in lines]
        check_actions(actions, without=self.without)
        return actions


def _action(line: str) -> dict[str, Any]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValidationError(_("“{line}”: write it like add_tags: outage.").format(line=line))
    name, given = found[1], found[2]
    if name in _LISTS:
        return {"do": name, _LISTS[name]: _words(given)}
    if name == "notify":
        users, _bar, text = given.partition("|")
        told = {"do": name, "users": _words(users)}
        return told | {"text": text.strip()} if text.strip() else told
    if name == "assign" and given.lower() in {"nobody", ""}:
        given = ""
    return {"do": name, _WORDS.get(name, "value"): given}


def _line(given: dict[str, Any]) -> str:
    name = given.get("do", "")
    if name in _LISTS:
        return f"{name}: {', '.join(given.get(_LISTS[name], []))}"
    if name == "notify":
        users = ", ".join(given.get("users", []))
        return f"{name}: {users} | {given['text']}" if given.get("text") else f"{name}: {users}"
    said = given.get(_WORDS.get(name, "value"), "")
    return f"{name}: {said or 'nobody' if name == 'assign' else said}"


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _text(language: Language) -> forms.CharField:
    return forms.CharField(
        label=later("Text, %s") % language.label,
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6, "lang": language.value}),
    )


class MacroForm(forms.ModelForm):  # type: ignore[type-arg]
    """Mistakes are told with language, line and column."""

    text_en = _text(Language.ENGLISH)
    text_de = _text(Language.GERMAN)
    text_ru = _text(Language.RUSSIAN)
    actions = ActionsField(
        label=later("Does"),
        required=False,
        help_text=ACTIONS_HELP,
        widget=UnfoldAdminTextareaWidget({"rows": 3, "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label=later("Goes out as"), choices=Message.Kind.choices, widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = Macro
        fields = ("name", "kind", "queues", "condition", "position", "is_active")
        widgets = {"condition": TicketConditionWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language in Language:
            self.initial[f"text_{language}"] = self.instance.texts.get(language.value, "")
        self.initial["actions"] = self.instance.actions

    def clean_condition(self) -> str:
        condition: str = self.cleaned_data["condition"]
        try:
            parse_ticket_condition(condition)
        except ConditionError as error:
            raise ValidationError(str(error)) from None
        return condition

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        texts = {}
        for language in Language:
            name = f"text_{language}"
            text = str(cleaned.get(name, "")).replace("\r\n", "\n").strip()
            if text:
                texts[language.value] = text
            try:
                check_texts({language.value: text}, known=VARIABLES)
            except ValidationError as error:
                self.add_error(name, error)
        if not texts and not cleaned.get("actions") and not self.errors:
            raise ValidationError(_("It says nothing and does nothing: give it one or the other."))
        self.instance.texts = texts
        self.instance.actions = cleaned.get("actions", [])
        return cleaned
