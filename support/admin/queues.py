"""Queues: where tickets wait, and who works there."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from support.models import Queue


@admin.register(Queue)
class QueueAdmin(ModelAdmin):  # type: ignore[misc]
    """Set up by leads and administrators."""

    list_display = ("name", "is_default", "is_active", "assignment", "email")
    filter_horizontal = ("members",)
