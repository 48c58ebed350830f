"""What comes in: kept as it came, then made a ticket or a message of one; nothing is lost."""

from support.intake.fetching import fetch_mail
from support.intake.handling import handle_inbound
from support.intake.storing import store_inbound

__all__ = ["fetch_mail", "handle_inbound", "store_inbound"]
