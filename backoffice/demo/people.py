"""The people of the story, each in their role, and a key for the host product."""

import secrets
from dataclasses import dataclass
from unicodedata import normalize

from django.contrib.auth.models import Group

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope


@dataclass(frozen=True)
class Cast:
    """Who plays, and the password they all sign in with; it is new in every demo."""

    password: str
    manager: User
    finance: User
    approver: User
    second_approver: User
    agents: tuple[User, User, User]
    lead: User
    administrator: User
    api_key: str

    @property
    def staff(self) -> dict[str, User]:
        return {
            "incident manager": self.manager,
            "finance": self.finance,
            "approver": self.approver,
            "second approver": self.second_approver,
            "agent": self.agents[0],
            "second agent": self.agents[1],
            "third agent": self.agents[2],
            "support lead": self.lead,
            "administrator": self.administrator,
        }


def make_cast() -> Cast:
    """Make everybody; call it once, on an empty database."""
    password = secrets.token_urlsafe(9)

    def person(name: str, *roles: Role) -> User:
        last = normalize("NFKD", name.rsplit(maxsplit=1)[-1]).encode("ascii", "ignore").decode()
        email = f"{last.lower()}@amends.example"
        user = User.objects.create_user(
            email, password, full_name=name, is_staff=True, time_zone="Europe/Berlin"
        )
        user.groups.set(Group.objects.filter(name__in=roles))
        return user

    manager = person("Anke Weber", Role.INCIDENT_MANAGER)
    return Cast(
        password=password,
        manager=manager,
        finance=person("Clara Roth", Role.FINANCE),
        approver=person("David Okafor", Role.FINANCE_APPROVER),
        second_approver=person("Elena Rossi", Role.FINANCE_APPROVER),
        agents=(
            person("Felix Brandt", Role.SUPPORT_AGENT),
            person("Hana Novák", Role.SUPPORT_AGENT),
            person("Irina Petrova", Role.SUPPORT_AGENT),
        ),
        lead=person("Jonas Meyer", Role.SUPPORT_LEAD),
        administrator=person("Grace Lindqvist", Role.ADMINISTRATOR),
        api_key=ApiKey.objects.create_key(name="Host product", scopes=list(Scope.values))[1],
    )
