"""Policies: the promises, and their versions as tables one can edit."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from backoffice.listing import ReadOnly
from compensation import policies
from compensation.admin.policy_doors import (
    activate_version,
    draft_version,
    make_default,
    preview_version,
)
from compensation.admin.policy_page import policy_page
from compensation.admin.policy_starts import import_policies, install_policy, ready_made_page
from compensation.admin.version_page import version_page
from compensation.models import Policy, PolicyVersion


@admin.register(Policy)
class PolicyAdmin(ModelAdmin):  # type: ignore[misc]
    """What is promised, under which version now; the terms stand on the version's page."""

    list_display = ("name", "in_force", "drafts", "default", "source")
    list_display_links = ("name",)
    search_fields = ("name", "key")
    fields = ("name", "key", "description", "source")
    prepopulated_fields = {"key": ("name",)}
    actions = None
    actions_list = ("ready_made",)
    change_form_template = "admin/compensation/policy/change_form.html"

    @action(
        description=_("Start from a published policy"), url_path="ready-made", permissions=["add"]
    )
    def ready_made(self, request: HttpRequest) -> HttpResponse:
        return ready_made_page(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        queryset: QuerySet[Policy] = super().get_queryset(request)
        active = PolicyVersion.objects.filter(state=PolicyVersion.State.ACTIVE)
        return queryset.prefetch_related(
            Prefetch("versions", queryset=active, to_attr="active")
        ).annotate(draft_count=Count("versions", filter=Q(versions__state="draft")))

    @display(description=_("in force"))
    def in_force(self, policy: Any) -> str:
        return f"v{policy.active[0].number}" if policy.active else "–"

    @display(description=_("drafts"))
    def drafts(self, policy: Any) -> str:
        return str(policy.draft_count or "–")

    @display(description=_("default"), boolean=True)
    def default(self, policy: Policy) -> bool:
        return policy.is_default

    def get_readonly_fields(self, request: HttpRequest, obj: Policy | None = None) -> list[str]:
        """Files and the API know a policy by its key, so it never changes."""
        return ["key"] if obj else []

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Policy | None = None
    ) -> dict[str, Any]:
        return {} if obj else dict(self.prepopulated_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        return False

    def response_add(
        self, request: HttpRequest, obj: Policy, post_url_continue: str | None = None
    ) -> HttpResponse:
        """A new policy begins with an empty draft, and its writer goes there."""
        user: Any = request.user
        draft = policies.draft_version(obj, by=user)
        return redirect("admin:compensation_policyversion_change", draft.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), **policy_page(request, object_id)}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("install/", wrap(install_policy), name="compensation_policy_install"),
            path("import/", wrap(import_policies), name="compensation_policy_import"),
            path("<int:pk>/draft/", wrap(draft_version), name="compensation_policy_draft"),
            path("<int:pk>/default/", wrap(make_default), name="compensation_policy_default"),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """The page is the editor; the list is the policy's page."""

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("admin:compensation_policy_changelist")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return version_page(request, object_id, self.admin_site.each_context(request))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(
                "<int:pk>/activate/",
                wrap(activate_version),
                name="compensation_policyversion_activate",
            ),
            path(
                "<int:pk>/preview/",
                wrap(preview_version),
                name="compensation_policyversion_preview",
            ),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls
