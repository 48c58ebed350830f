"""What is done with incidents, maintenances and outages. All times are UTC, `at` means now."""

from incidents.lifecycle.incident import (
    acknowledge_incident,
    assign_commander,
    change_incident,
    declare_incident,
    identify_incident,
    mitigate_incident,
    reopen_incident,
    resolve_incident,
)
from incidents.lifecycle.maintenance import (
    complete_maintenance,
    schedule_maintenance,
    start_maintenance,
    verify_maintenance,
)
from incidents.lifecycle.outage import add_outage, change_outage, end_outage, remove_outage

__all__ = [
    "acknowledge_incident",
    "add_outage",
    "assign_commander",
    "change_incident",
    "change_outage",
    "complete_maintenance",
    "declare_incident",
    "end_outage",
    "identify_incident",
    "mitigate_incident",
    "remove_outage",
    "reopen_incident",
    "resolve_incident",
    "schedule_maintenance",
    "start_maintenance",
    "verify_maintenance",
]
