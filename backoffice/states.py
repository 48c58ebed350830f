"""The one function that moves a row from state to state.

A model declares `MOVES`: each state with the states it may move to. Who moved the row and why is
kept by the history triggers, which read the context opened here, or by the verb that moves.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import pghistory
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class MoveError(Exception):
    """The row may not move there from its state, or somebody else moved it first."""


class Movable(models.Model):
    """A model with a state, kept in the field `STATE_FIELD`, and the table of moves it allows."""

    MOVES: ClassVar[Mapping[str, frozenset[str]]]
    STATE_FIELD: ClassVar[str] = "state"

    class Meta:
        abstract = True

    def can_move(self, to: str) -> bool:
        return to in self.MOVES.get(getattr(self, self.STATE_FIELD), frozenset())


def move(
    row: Movable, to: str, *, by: AbstractBaseUser | None, reason: str = "", **changes: Any
) -> None:
    """Move `row` to the state `to`, saving `changes` with it, and remember who and why.

    The old state stands in the WHERE clause, so of two movers one loses and is told.

    Raises:
        MoveError: the move is not in the model's table, or the row has moved meanwhile.
    """
    field = row.STATE_FIELD
    old = getattr(row, field)
    kind = type(row)._meta.verbose_name
    if not row.can_move(to):
        raise MoveError(f"This {kind} is {old}: it cannot become {to}.")
    with history(by=by, reason=reason):
        rows = type(row)._default_manager.filter(pk=row.pk, **{field: old})
        moved = rows.update(**{field: to}, **changes)
    if not moved:
        raise MoveError(f"Somebody else has just changed this {kind}: reload and look again.")
    for name, value in {field: to, **changes}.items():
        setattr(row, name, value)


def history(*, by: AbstractBaseUser | None, reason: str = "", **more: Any) -> Any:
    """A context manager: changes made inside it are kept with this person and reason."""
    person = {"user": by.pk} if by is not None else {}
    return pghistory.context(**person, reason=reason, **more)
