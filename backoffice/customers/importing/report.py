"""What an import did, or would do."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

MOST_BAD_LINES_KEPT = 20_000


@dataclass(frozen=True)
class BadLine:
    """A line that was left out: its number in the file (the header is 1), and why."""

    line: int
    field: str
    value: str
    reason: str
    remedy: str


@dataclass
class Counts:
    """Rows of one kind."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class Report:
    """Everything worth telling about one file."""

    file_name: str
    sha256: str
    as_of: date
    dry_run: bool
    lines: int = 0
    imported_lines: int = 0
    bad_line_count: int = 0
    customers: Counts = field(default_factory=Counts)
    subscriptions: Counts = field(default_factory=Counts)
    components_created: list[str] = field(default_factory=list)
    uses_added: int = 0
    uses_removed: int = 0
    seconds: float = 0.0
    notices: list[str] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    first_rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        changed = (self.customers, self.subscriptions)
        return not (
            any(counts.created or counts.updated for counts in changed)
            or self.components_created
            or self.uses_added
            or self.uses_removed
        )

    def add_bad(self, bad: Iterable[BadLine]) -> None:
        """Count these as bad lines; the first 20,000 errors are kept, in the file's order."""
        bad = list(bad)
        self.bad_line_count += len({one.line for one in bad})
        self.bad_lines = sorted([*self.bad_lines, *bad], key=lambda one: one.line)
        if len(self.bad_lines) > MOST_BAD_LINES_KEPT:
            del self.bad_lines[MOST_BAD_LINES_KEPT:]
            notice = f"Only the first {MOST_BAD_LINES_KEPT:,} errors are listed."
            if notice not in self.notices:
                self.notices.append(notice)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}


def bad_lines_csv(bad_lines: Iterable[BadLine]) -> str:
    """The bad lines as a CSV file that a spreadsheet opens without running anything in it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "field", "value", "reason", "remedy"])
    for bad in bad_lines:
        writer.writerow([bad.line, bad.field, _defused(bad.value), bad.reason, bad.remedy])
    return out.getvalue()


def _defused(value: str) -> str:
    # A spreadsheet takes these for the start of a formula.
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
