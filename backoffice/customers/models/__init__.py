"""Customers, what they pay for and which components they use."""

from backoffice.customers.models.component import Component, ComponentUse
from backoffice.customers.models.customer import Contact, Customer
from backoffice.customers.models.customer_import import CustomerImport
from backoffice.customers.models.portal_session import PortalSession
from backoffice.customers.models.subscription import Subscription

__all__ = [
    "Component",
    "ComponentUse",
    "Contact",
    "Customer",
    "CustomerImport",
    "PortalSession",
    "Subscription",
]
