"""The admin's front page, its navigation, and what stands on all its pages."""

from backoffice.admin.dashboard import dashboard
from backoffice.admin.everywhere import environment, everywhere
from backoffice.admin.navigation import navigation

__all__ = ["dashboard", "environment", "everywhere", "navigation"]
