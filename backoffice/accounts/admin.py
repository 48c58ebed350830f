"""Users, made and switched off by administrators; roles, to look at."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.accounts.changes import changes_of
from backoffice.accounts.forms import UserForm
from backoffice.accounts.models import User
from backoffice.accounts.roles import MEANING, Role

for hidden in (Group, EmailAddress, Authenticator):
    if admin.site.is_registered(hidden):
        admin.site.unregister(hidden)

_ROW = '<tr><td class="pr-4">{}</td><td class="pr-4">{}</td><td>{}</td></tr>'
SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


@admin.register(User)
class UserAdmin(ModelAdmin):  # type: ignore[misc]
    """Staff are made here, without a password: they sign in by e-mailed code.

    Nobody is deleted: who has left is switched off. The address is the person, so it does not
    change: with another's address one would sign in as them. Superusers are the shell's business.
    """

    form = UserForm
    list_display = ("email", "full_name", "role_names", "second_factor", "active", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "full_name")
    ordering = ("email",)
    show_full_result_count = False
    actions = None
    add_fieldsets = ((None, {"fields": ("email", "full_name", "language", "time_zone", "roles")}),)
    fieldsets = (
        (None, {"fields": ("email", "full_name", "language", "time_zone", "is_active")}),
        (_("Access"), {"fields": ("roles", "factor_state", "is_superuser", "last_login")}),
        (_("History"), {"fields": ("changes",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
        people: QuerySet[User] = super().get_queryset(request)
        return people.annotate(has_factor=Exists(factors)).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return ()
        shown = ["email", "factor_state", "is_superuser", "last_login", "changes"]
        if not self.has_change_permission(request, obj):
            shown.append("role_names")
        return shown

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        return type("UserForm", (form,), {"actor": request.user})

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    @display(description=_("roles"))
    def role_names(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "–"

    @display(description=_("second factor"), label={"yes": "success", "no": "warning"})
    def second_factor(self, user: User) -> Any:
        return ("yes", _("set up")) if user.has_factor else ("no", _("none"))  # type: ignore[attr-defined]

    @display(description=_("second factor"))
    def factor_state(self, user: User) -> Any:
        return self.second_factor(user)[1]

    @display(description=_("active"), boolean=True, ordering="is_active")
    def active(self, user: User) -> bool:
        return user.is_active

    @display(description=_("what changed"))
    def changes(self, user: User) -> SafeString:
        rows = ((localize(localtime(c.at)), c.by or _("system"), c.what) for c in changes_of(user))
        return format_html(
            "<table><tbody>{}</tbody></table>",
            format_html_join("", _ROW, rows),
        )


@admin.register(Group)
class RoleAdmin(ModelAdmin):  # type: ignore[misc]
    """The roles, as the code defines them: `migrate` would undo what was changed here."""

    list_display = ("name", "meaning", "people")
    fields = ("name", "meaning", "may", "who")
    readonly_fields = ("meaning", "may", "who")
    search_fields = ("name",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        active = Count("user", filter=Q(user__is_active=True))
        return super().get_queryset(request).annotate(people_count=active)  # type: ignore[no-any-return]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    @display(description=_("what for"))
    def meaning(self, group: Group) -> str:
        return str(MEANING[Role(group.name)]) if group.name in Role.values else "–"

    @display(description=_("people"))
    def people(self, group: Group) -> int:
        return group.people_count  # type: ignore[attr-defined,no-any-return]

    @display(description=_("may"))
    def may(self, group: Group) -> SafeString:
        names = group.permissions.select_related("content_type").order_by("content_type", "name")
        return format_html_join("", "{}<br>", ((permission.name,) for permission in names))

    @display(description=_("who has it"))
    def who(self, group: Group) -> SafeString:
        people = User.objects.filter(groups=group, is_active=True).order_by("email")
        return format_html_join("", "{} ({})<br>", ((user, user.email) for user in people))
