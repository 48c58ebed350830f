"""People, by role."""

import factory
from django.contrib.auth.models import Group

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    full_name = factory.Sequence(lambda n: f"Person {n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return model_class.objects.create_user(password=PASSWORD, **kwargs)


def staff(*roles: Role, **fields: object) -> User:
    """A staff user with `roles`."""
    user: User = UserFactory(is_staff=True, **fields)  # type: ignore[assignment]
    user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
    return user
