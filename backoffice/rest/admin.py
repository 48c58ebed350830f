"""API keys: made with scopes, shown once, revoked."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import APIKey as UnscopedKey
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.rest.forms import ApiKeyForm
from backoffice.rest.models import ApiKey

if admin.site.is_registered(UnscopedKey):
    admin.site.unregister(UnscopedKey)


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]
    """What a key may do is fixed when it is made; later it can only be revoked."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "scope_names", "status", "created", "created_by")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    actions = None
    add_fieldsets = ((None, {"fields": ("name", "scopes", "expiry_date")}),)
    fieldsets = (
        (
            None,
            {"fields": ("name", "prefix", "scope_names", "expiry_date", "created", "created_by")},
        ),
        (None, {"fields": ("revoked",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ()
        fixed = ["name", "prefix", "scope_names", "expiry_date", "created", "created_by"]
        return [*fixed, "revoked"] if obj.revoked else fixed

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        if obj is not None:
            form.base_fields.pop("scopes", None)
        return form

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        """A new key's secret lives as long as this request, on its way to the answer's page."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            request.new_key_secret = ApiKey.objects.assign_key(obj)  # type: ignore[attr-defined]
        obj.save(force_insert=not change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret here and now: it is stored nowhere, not in a session either."""
        return TemplateResponse(
            request,
            "admin/rest/apikey/made.html",
            {
                **self.admin_site.each_context(request),
                "title": _("API key made"),
                "opts": self.opts,
                "key": obj,
                "secret": request.new_key_secret,  # type: ignore[attr-defined]
            },
        )

    @display(description=_("scopes"))
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(
        description=_("status"),
        label={"valid": "success", "revoked": "danger", "expired": "warning"},
    )
    def status(self, key: ApiKey) -> Any:
        if key.revoked:
            return "revoked", _("revoked")
        return ("expired", _("expired")) if key.has_expired else ("valid", _("valid"))
