"""Incidents of the past, from Statuspage's exports or from lines of JSON."""

from incidents.importing.reading import BadRecord, ImportFileError
from incidents.importing.storing import Report, import_incidents

__all__ = ["BadRecord", "ImportFileError", "Report", "import_incidents"]
