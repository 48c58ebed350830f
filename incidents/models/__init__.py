"""Outages, incidents, and whom they hit."""

from incidents.models.cohort import Cohort, CohortMember
from incidents.models.exposure import Exposure, ExposureProfile
from incidents.models.incident import Incident, IncidentUpdate
from incidents.models.outage import Outage

__all__ = [
    "Cohort",
    "CohortMember",
    "Exposure",
    "ExposureProfile",
    "Incident",
    "IncidentUpdate",
    "Outage",
]
