"""The incident manager's screens."""

from incidents.admin import exposures, incident

__all__ = ["exposures", "incident"]
