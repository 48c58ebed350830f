"""The admin's pages of customers. They show; imports, the API and the mirror write."""

from backoffice.customers.admin.components import ComponentAdmin
from backoffice.customers.admin.customers import CustomerAdmin
from backoffice.customers.admin.imports import CustomerImportAdmin
from backoffice.customers.admin.portal_sessions import PortalSessionAdmin
from backoffice.customers.admin.subscriptions import SubscriptionAdmin

__all__ = [
    "ComponentAdmin",
    "CustomerAdmin",
    "CustomerImportAdmin",
    "PortalSessionAdmin",
    "SubscriptionAdmin",
]
