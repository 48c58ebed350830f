"""Telling one kind of file from another, and good records from bad ones."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from incidents.importing.history_lines import read_line
from incidents.importing.record import Record, RecordError, reason_of
from incidents.importing.statuspage import group_names, read_incident, source_of

LISTS = ("incidents", "scheduled_maintenances")


class ImportFileError(ValueError):
    """The file as a whole is nothing we can read."""


@dataclass(frozen=True)
class BadRecord:
    """Line (of a file of lines) or place (in Statuspage's JSON, from 1), and why it is left out."""

    number: int
    reason: str


def read_records(text: str) -> tuple[list[Record], list[BadRecord]]:
    """The incidents in `text`, Statuspage's JSON or one JSON object a line, and what is wrong.

    Raises:
        ImportFileError: it is neither, or holds no incident at all.
    """
    document = _document(text)
    if document is None:
        return _read_lines(text)
    source = source_of(document.get("page") or {})
    groups = group_names(document.get("components") or [])
    items = [item for name in LISTS for item in document.get(name) or []]
    records: list[Record] = []
    bad: list[BadRecord] = []
    for number, item in enumerate(items, start=1):
        record = _read(item, number, source=source, groups=groups)
        (bad if isinstance(record, BadRecord) else records).append(record)  # type: ignore[arg-type]
    return _without_doubles(records, bad)


def _document(text: str) -> dict[str, Any] | None:
    """Statuspage's JSON, or None where every line stands for itself."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if isinstance(document, list):
        return {"incidents": document}
    if isinstance(document, dict) and any(name in document for name in LISTS):
        return document
    return None


def _read_lines(text: str) -> tuple[list[Record], list[BadRecord]]:
    records: list[Record] = []
    bad: list[BadRecord] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as error:
            bad.append(BadRecord(number, f"this is no JSON: {error}."))
            continue
        record = _read(data, number, source="statuspage", groups={})
        (bad if isinstance(record, BadRecord) else records).append(record)  # type: ignore[arg-type]
    if not records and not bad:
        raise ImportFileError("The file is empty.")
    if not records and len(bad) == 1:
        raise ImportFileError(f"This is neither Statuspage's JSON nor lines of it: {bad[0].reason}")
    return _without_doubles(records, bad)


def _read(data: Any, number: int, *, source: str, groups: dict[str, str]) -> Record | BadRecord:
    if not isinstance(data, dict):
        return BadRecord(number, "this is no JSON object.")
    try:
        if "incident_updates" in data or "name" in data:
            return read_incident(data, number, source=source, groups=groups)
        return read_line(data, number)
    except ValidationError as error:
        return BadRecord(number, reason_of(error))
    except RecordError as error:
        return BadRecord(number, str(error))


def _without_doubles(
    records: list[Record], bad: list[BadRecord]
) -> tuple[list[Record], list[BadRecord]]:
    """Of the same incident told twice (a summary repeats them) the first one."""
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.external_id, record)
    return list(first.values()), bad
