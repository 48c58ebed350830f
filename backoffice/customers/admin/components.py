"""Components: the one thing of the customers' that people write here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from backoffice.customers.models import Component


@admin.register(Component)
class ComponentAdmin(ModelAdmin):  # type: ignore[misc]
    """Made by imports as they are met, or here. The key is what files know it by, so it stays."""

    list_display = ("name", "key", "group", "position", "is_public")
    list_filter = ("group", "is_public")
    search_fields = ("name", "key")
    prepopulated_fields = {"key": ("name",)}
    fieldsets = (
        (None, {"fields": (("name", "key"), ("group", "position"), "description", "is_public")}),
    )
    actions = None
    list_per_page = 200

    def get_readonly_fields(self, request: HttpRequest, obj: Component | None = None) -> Any:
        return ("key",) if obj is not None else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Component | None = None) -> Any:
        return {} if obj is not None else self.prepopulated_fields

    def has_delete_permission(self, request: HttpRequest, obj: Component | None = None) -> bool:
        # Outages and uses hang on it: hide it from the public instead.
        return False
