"""How a row of the permission table is written, and short ways to write many."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from backoffice.accounts.roles import Role
from tests.permissions.actors import (
    ROLES,
    STAFF,
)

WORKERS = ROLES
MONEY = ROLES - {Role.COMMUNICATIONS.value}
MANAGER = frozenset({Role.INCIDENT_MANAGER.value})
FINANCE = frozenset({Role.FINANCE.value})
APPROVER = frozenset({Role.FINANCE_APPROVER.value})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR.value})
AUDITOR = frozenset({Role.AUDITOR.value})
DESK = frozenset({Role.SUPPORT_AGENT.value, Role.SUPPORT_LEAD.value})
AUDITS = ADMINISTRATOR | AUDITOR
STOPS = FINANCE | APPROVER | ADMINISTRATOR
NO_ONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """One door, one method, and who gets in. `data` is sent with a POST."""

    door: str
    opens: frozenset[str]
    method: str = "GET"
    args: dict[str, str] = field(default_factory=dict)
    data: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.door if self.door.endswith(self.method) else f"{self.door} {self.method}"


def pages(
    app: str, model: str, pk: str, *, see: frozenset[str],
    add: frozenset[str] = NO_ONE, change: frozenset[str] = NO_ONE, delete: frozenset[str] = NO_ONE,
) -> Iterator[Row]:  # fmt: skip
    """The pages Django's admin makes of a model."""
    door, args = f"admin:{app}_{model}", {"object_id": pk}
    yield Row(f"{door}_changelist", see)
    yield Row(f"{door}_changelist", see, "POST")
    yield Row(f"{door}_add", add)
    yield Row(f"{door}_add", add, "POST")
    yield Row(f"{door}_change", see, args=args)
    yield Row(f"{door}_change", change, "POST", args=args)
    yield Row(f"{door}_delete", delete, args=args)
    yield Row(f"{door}_delete", delete, "POST", args=args)
    yield Row(f"{door}_history", see, args=args)
    # An old address that leads on to the change page.
    yield Row(f"/admin/{app}/{model}/<path:object_id>/", STAFF, args=args)


def admin(
    door: str, opens: frozenset[str], *args: str, post: bool = True, get: bool = False
) -> Iterator[Row]:
    """A door of our own in the admin; `args` are "pk=batch"."""
    named = dict(arg.split("=", 1) for arg in args)
    yield Row(f"admin:{door}", opens if get else NO_ONE, args=named)
    yield Row(f"admin:{door}", opens if post else NO_ONE, "POST", args=named)


def look(door: str, opens: frozenset[str], *args: str) -> Iterator[Row]:
    """Something to look at only: a POST shows it, too, and changes nothing."""
    yield from admin(door, opens, *args, get=True)


def form(door: str, opens: frozenset[str], *args: str) -> Iterator[Row]:
    """A page with a form."""
    yield from admin(door, opens, *args, get=True)


def api(door: str, scope: str, *args: str, **data: object) -> Iterator[Row]:
    """An action of the REST API, such as "batch-list POST"; for one scope only."""
    named = dict(arg.split("=", 1) for arg in args)
    yield Row(door, frozenset({f"key {scope}"}), door.rpartition(" ")[2], named, data)
