"""The kinds of actions: each checks what it is given, does it by a verb, and says what it does."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from support import staff_notices, tickets
from support.models import Macro, Queue, Ticket
from support.models.ticket import Band, Status

Given = dict[str, Any]

LONGEST_TEXT = 5000
ASSIGNEE = "assignee"
ME = "me"


class Kind(ABC):
    """One kind of action. `takes` names what it may be given beside “do”."""

    takes: tuple[str, ...]

    @abstractmethod
    def check(self, given: Given) -> None:
        """Raises ValidationError when this could never be done."""

    @abstractmethod
    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        """Raises what the verb raises."""

    @abstractmethod
    def words(self, given: Given) -> str:
        """What it does, as the end of a sentence."""

    def is_own(self, given: Given) -> bool:
        """Whether it speaks of whoever acts."""
        return False


class _Tags(Kind):
    takes = ("tags",)

    def check(self, given: Given) -> None:
        tags = given.get("tags")
        if not _are_texts(tags) or not tickets.clean_tags(tags):  # type: ignore[arg-type]
            raise ValidationError(_('Name the tags: "tags": ["vip"].'))


class AddTags(_Tags):
    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        tickets.change_tags(ticket, by=by, add=given["tags"], reason=reason)

    def words(self, given: Given) -> str:
        tags = given.get("tags", [])
        return ngettext("add the tag %s", "add the tags %s", len(tags)) % _joined(tags)


class RemoveTags(_Tags):
    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        tickets.change_tags(ticket, by=by, remove=given["tags"], reason=reason)

    def words(self, given: Given) -> str:
        tags = given.get("tags", [])
        return ngettext("take the tag %s off", "take the tags %s off", len(tags)) % _joined(tags)


class SetStatus(Kind):
    takes = ("status",)

    def check(self, given: Given) -> None:
        possible = [status for status in Status.values if status != Status.NEW]
        _one_of(given, "status", possible)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        tickets.set_status(ticket, given["status"], by=by, reason=reason)

    def words(self, given: Given) -> str:
        return _("set the status to %s") % dict(Status.choices).get(given.get("status", ""), "?")


class Assign(Kind):
    takes = ("to",)

    def check(self, given: Given) -> None:
        to = given.get("to")
        if not isinstance(to, str):
            raise ValidationError(_('Say to whom: "to": "ann@example.com", or "" for nobody.'))
        if to not in {"", ME}:
            _person(to)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        to = given["to"]
        if to == ME and by is None:
            raise ValidationError(_("Nobody acts here to whom it could be assigned."))
        person = by if to == ME else _person(to) if to else None
        tickets.assign(ticket, person, by=by, reason=reason)

    def words(self, given: Given) -> str:
        to = given.get("to")
        if not to:
            return _("give it back to its queue")
        return _("assign it to you") if to == ME else _("assign it to %s") % to

    def is_own(self, given: Given) -> bool:
        return given.get("to") == ME


class SetQueue(Kind):
    takes = ("queue",)

    def check(self, given: Given) -> None:
        _one_of(given, "queue", Queue.objects.filter(is_active=True).values_list("slug", flat=True))

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        queue = Queue.objects.filter(slug=given["queue"]).first()
        if queue is None:
            raise ValidationError(_("The queue “%s” is gone.") % given["queue"])
        tickets.set_queue(ticket, queue, by=by, reason=reason)

    def words(self, given: Given) -> str:
        return _("move it to the queue %s") % given.get("queue")


class RaisePriority(Kind):
    takes = ("band",)
    names = {band.name.lower(): band for band in Band}

    def check(self, given: Given) -> None:
        band = given.get("band")
        if type(band) is not int or band not in Band.values:
            _one_of(given, "band", self.names)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        tickets.raise_priority(ticket, self._band(given), by=by, reason=reason)

    def words(self, given: Given) -> str:
        return _("raise the priority to at least %s") % self._band(given).label

    def _band(self, given: Given) -> Band:
        band = given["band"]
        return self.names[band] if isinstance(band, str) else Band(band)


class SetLanguage(Kind):
    takes = ("language",)

    def check(self, given: Given) -> None:
        _one_of(given, "language", Language.values)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        tickets.change_ticket(ticket, by=by, reason=reason, language=given["language"])

    def words(self, given: Given) -> str:
        return _("set the language to %s") % dict(Language.choices).get(given["language"], "?")


class Note(Kind):
    takes = ("text",)

    def check(self, given: Given) -> None:
        _text(given)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        tickets.add_note(ticket, by=by, text=given["text"])

    def words(self, given: Given) -> str:
        return _("note “%s”") % _short(given.get("text", ""))


class RunMacro(Kind):
    takes = ("name",)

    def check(self, given: Given) -> None:
        names = Macro.objects.filter(is_active=True).values_list("name", flat=True)
        _one_of(given, "name", names)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        # Late: macros perform actions themselves.
        from support import macros

        macro = Macro.objects.filter(name=given["name"], is_active=True).first()
        if macro is None:
            raise ValidationError(_("The macro “%s” is gone.") % given["name"])
        macros.apply_macro(macro, ticket, by=by)

    def words(self, given: Given) -> str:
        return _("answer with the macro “%s”") % given.get("name")


class Notify(Kind):
    takes = ("users", "text")

    def check(self, given: Given) -> None:
        users = given.get("users")
        if not _are_texts(users) or not users:
            raise ValidationError(_('Say whom: "users": ["ann@example.com", "assignee"].'))
        for user in users:
            if user != ASSIGNEE:
                _person(user)
        if "text" in given:
            _text(given)

    def act(self, given: Given, ticket: Ticket, *, by: User | None, reason: str) -> None:
        emails = [user for user in given["users"] if user != ASSIGNEE]
        people = list(User.objects.filter(email__in=emails, is_active=True, is_staff=True))
        if ASSIGNEE in given["users"] and ticket.assignee:
            people.append(ticket.assignee)
        staff_notices.notify(people, ticket=ticket, text=given.get("text") or reason)

    def words(self, given: Given) -> str:
        users = given.get("users", [])
        return _("tell %s by e-mail") % _joined(
            _("its assignee") if user == ASSIGNEE else user for user in users
        )


KINDS: dict[str, Kind] = {
    "add_tags": AddTags(),
    "remove_tags": RemoveTags(),
    "set_status": SetStatus(),
    "assign": Assign(),
    "set_queue": SetQueue(),
    "raise_priority": RaisePriority(),
    "set_language": SetLanguage(),
    "note": Note(),
    "macro": RunMacro(),
    "notify": Notify(),
}


def _person(email: str) -> User:
    person = User.objects.filter(email__iexact=email, is_active=True, is_staff=True).first()
    if person is None:
        raise ValidationError(_("Nobody on the staff has the address “%s”.") % email[:100])
    return person


def _one_of(given: Given, name: str, possible: Iterable[str]) -> None:
    known = list(possible)
    if given.get(name) not in known:
        raise ValidationError(
            _("“%(name)s” must be one of %(known)s.")
            % {"name": name, "known": ", ".join(known[:20]) or "—"}
        )


def _text(given: Given) -> None:
    text = given.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
        raise ValidationError(
            _("“text” must have 1 to %(most)s characters.") % {"most": LONGEST_TEXT}
        )


def _are_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def _joined(words: Iterable[str]) -> str:
    *first, last = [str(word) for word in words] or ["?"]
    return (
        _("%(first)s and %(last)s") % {"first": ", ".join(first), "last": last} if first else last
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004
