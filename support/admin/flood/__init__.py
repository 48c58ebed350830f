"""The flood in the admin: what tickets are about, and one answer to all of them."""

from support.admin.flood import mass_replies, matches

__all__ = ["mass_replies", "matches"]
