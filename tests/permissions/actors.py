"""Who stands before a door: nobody, a customer, each role, each scope of an API key."""

from django.test import Client

from backoffice.accounts.roles import Role
from backoffice.customers.models import Contact
from backoffice.rest.models import ApiKey, Scope
from tests.accounts.factories import UserFactory, staff
from tests.customers.factories import CustomerFactory

NOBODY = "nobody"
CUSTOMER = "customer"
UNASSIGNED = "staff without a role"
ROLES = frozenset(role.value for role in Role)
STAFF = ROLES | {UNASSIGNED}
SCOPES = frozenset(f"key {scope.value}" for scope in Scope)
EVERYBODY = frozenset({NOBODY, CUSTOMER}) | STAFF
SIGNED_IN = frozenset({CUSTOMER}) | STAFF
EVERY_KEY = SCOPES
ACTORS = EVERYBODY | SCOPES


def clients() -> dict[str, Client]:
    """A client signed in as each of them."""
    made = {NOBODY: Client(), CUSTOMER: Client(), UNASSIGNED: Client()}
    contact = Contact.objects.create(user=UserFactory.create(), customer=CustomerFactory.create())
    made[CUSTOMER].force_login(contact.user, backend=BACKEND)
    made[UNASSIGNED].force_login(staff(), backend=BACKEND)
    for role in Role:
        made[role.value] = Client()
        made[role.value].force_login(staff(role), backend=BACKEND)
    for scope in Scope:
        _, secret = ApiKey.objects.create_key(name=scope.value, scopes=[scope.value])
        made[f"key {scope.value}"] = Client(headers={"authorization": f"Api-Key {secret}"})
    return made


BACKEND = "django.contrib.auth.backends.ModelBackend"
