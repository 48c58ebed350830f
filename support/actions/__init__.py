"""What rules and macros do to a ticket, as data: [{"do": "add_tags", "tags": ["vip"]}].

| do | with |
| --- | --- |
| add_tags, remove_tags | tags: a list |
| set_status | status |
| assign | to: an e-mail address, "me", or "" for back to the queue |
| set_queue | queue: its short name |
| raise_priority | band: low, normal, high, urgent, or 1 to 4 |
| set_language | language |
| note | text |
| macro | name |
| notify | users: e-mail addresses or "assignee"; text |

Each goes through the verb that a person's click goes through, so it is bound by the same rules and
leaves the same line in the timeline.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from support.actions.kinds import KINDS, Given, Kind
from support.models import Ticket

__all__ = ["KINDS", "MOST", "check_actions", "describe", "perform"]

MOST = 20


def check_actions(actions: Any, *, without: frozenset[str] = frozenset()) -> None:
    """Refuses what could not be performed later. `without`: kinds that make no sense here.

    "me" as a kind stands for assigning to whoever acts, which nobody does in a rule.

    Raises:
        ValidationError: one sentence for each action that cannot be, with its place.
    """
    if not isinstance(actions, list):
        raise ValidationError(_("Actions are a list, such as [{}].").format(_EXAMPLE))
    if len(actions) > MOST:
        raise ValidationError(_("At most %(most)s actions are possible.") % {"most": MOST})
    problems = []
    for place, given in enumerate(actions, start=1):
        try:
            _check_action(given, without)
        except ValidationError as error:
            problems.append(_place(place, given, " ".join(error.messages)))
    if problems:
        raise ValidationError(problems)


@transaction.atomic
def perform(actions: list[Given], ticket: Ticket, *, by: User | None, reason: str) -> None:
    """Do all of them in order, or none. `by` None is the system.

    Raises:
        PermissionDenied, ValidationError, MoveError: with the place of the action that failed.
    """
    for place, given in enumerate(actions, start=1):
        kind = KINDS.get(str(given.get("do")))
        if kind is None:
            raise ValidationError(_place(place, given, _("There is no such action.")))
        try:
            kind.act(given, ticket, by=by, reason=reason)
        except ValidationError as error:
            raise ValidationError(_place(place, given, " ".join(error.messages))) from error


def describe(actions: list[Given]) -> list[str]:
    """What they do, a sentence each: “add the tags vip and outage”. For any stored actions."""
    sentences = []
    for given in actions:
        try:
            sentences.append(KINDS[given["do"]].words(given))
        except (KeyError, TypeError, ValueError, AttributeError):
            sentences.append(_("something unknown"))
    return sentences


_EXAMPLE = '{"do": "add_tags", "tags": ["vip"]}'


def _check_action(given: Any, without: frozenset[str]) -> None:
    if not isinstance(given, dict) or "do" not in given:
        raise ValidationError(_("Write it like {}.").format(_EXAMPLE))
    known = [name for name in KINDS if name not in without]
    if given["do"] not in known:
        raise ValidationError(
            _("There is no such action here. Use one of %(known)s.") % {"known": ", ".join(known)}
        )
    kind: Kind = KINDS[given["do"]]
    if unknown := sorted(set(given) - {"do", *kind.takes}):
        raise ValidationError(
            _("It knows no “%(unknown)s”, only %(takes)s.")
            % {"unknown": unknown[0], "takes": ", ".join(kind.takes)}
        )
    if kind.is_own(given) and "me" in without:
        raise ValidationError(_("A rule has no “me”: name somebody's e-mail address."))
    kind.check(given)


def _place(place: int, given: Any, problem: str) -> str:
    name = given.get("do", "?") if isinstance(given, dict) else "?"
    return _("Action %(place)s (%(name)s): %(problem)s") % {
        "place": place,
        "name": str(name)[:30],
        "problem": problem,
    }
