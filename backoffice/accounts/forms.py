"""What an administrator may set about a user."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from backoffice.accounts.models import User
from backoffice.accounts.roles import MEANING, Role


def roles_in_order() -> QuerySet[Group]:
    """The groups that are roles, as the design lists them."""
    whens = [When(name=role.value, then=Value(place)) for place, role in enumerate(Role)]
    return Group.objects.filter(name__in=Role.values).order_by(
        Case(*whens, output_field=IntegerField())
    )


class RolesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Checkboxes, each saying what its role may do."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}: {MEANING[Role(obj.name)]}"


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """A user and their roles. `actor` is the administrator at the keyboard."""

    actor: User

    roles = RolesField(queryset=Group.objects.none(), label=_("Roles"), required=False)

    class Meta:
        model = User
        fields = ("email", "full_name", "language", "time_zone", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].queryset = roles_in_order()  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["roles"] = list(self.instance.groups.values_list("pk", flat=True))
        else:
            self.fields["roles"].required = True

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise forms.ValidationError(
                _("“%(name)s” is no time zone: write it like Europe/Berlin."), params={"name": name}
            ) from None
        return name

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        if not active and self.instance.pk == self.actor.pk:
            raise forms.ValidationError(_("You cannot switch off your own account."))
        return active

    def clean_roles(self) -> QuerySet[Group]:
        """Four eyes on the four eyes: nobody makes themselves an approver."""
        roles: QuerySet[Group] = self.cleaned_data["roles"]
        approver = Role.FINANCE_APPROVER.value
        if (
            self.instance.pk == self.actor.pk
            and any(role.name == approver for role in roles)
            and not self.instance.groups.filter(name=approver).exists()
        ):
            raise forms.ValidationError(
                _("You cannot make yourself an approver: ask another administrator."),
                code="own_approver",
            )
        return roles

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002
        """Whoever has a role is staff; who has none is not."""
        self.instance.is_staff = self.instance.is_superuser or bool(self.cleaned_data["roles"])
        user: User = super().save(commit)
        return user

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        self.instance.groups.set(self.cleaned_data["roles"])
