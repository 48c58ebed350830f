"""News of tickets for other systems: signed, repeated until it arrives, kept in a log."""

from support.webhooks.addresses import check_url
from support.webhooks.deliveries import forget_deliveries, send_again, store_deliveries
from support.webhooks.endpoints import new_secret, rotate_secret, switch_on
from support.webhooks.sending import send_deliveries, try_endpoint

__all__ = [
    "check_url",
    "forget_deliveries",
    "new_secret",
    "rotate_secret",
    "send_again",
    "send_deliveries",
    "store_deliveries",
    "switch_on",
    "try_endpoint",
]
