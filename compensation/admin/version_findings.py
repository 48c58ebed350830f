"""What lint found and what came out of the examples, put beside the row and field it is about."""

from typing import Any

from backoffice.accounts.models import User
from compensation import policies
from compensation.admin.example_results import Shown
from compensation.admin.version_editor import Editor
from compensation.models import PolicyVersion

MOST_EXAMPLES_LISTED = 3
# An example's fields are typed otherwise than they are kept.
TYPED = {"expected_minor": "expected", "expected_days": "expected", "fee_minor": "fee"}


def mark(editor: Editor, findings: list[policies.Finding], shown: list[Shown]) -> None:
    """Put each finding and result beside what it is about."""
    for finding in findings:
        if finding.example is not None:
            # What came out stands beside the example already.
            if not shown:
                field = TYPED.get(finding.field, finding.field)
                editor.examples.mark(finding.example, field, finding)
        elif finding.position is not None:
            editor.rules.mark(finding.position, finding.field, finding)
        elif finding.field in editor.form.fields:
            bound: Any = editor.form[finding.field]
            bound.said = [*getattr(bound, "said", []), finding]
    by_position = {one.position: one for one in shown}
    row: Any
    for row in editor.examples.forms:
        row.shown = by_position.get(row.instance.position) if row.instance.pk else None


def gathered(findings: list[policies.Finding]) -> tuple[list[policies.Finding], int]:
    """Findings to list, and how many examples differ beyond those that a list has room for.

    Each example says for itself what came out; dozens of them would hide the rest.
    """
    differing = [finding for finding in findings if finding.example is not None]
    if len(differing) <= MOST_EXAMPLES_LISTED:
        return findings, 0
    return [finding for finding in findings if finding.example is None], len(differing)


def acceptance(version: PolicyVersion) -> dict[str, Any] | None:
    """Which warnings a person accepted when the version was put into force, who, why and when."""
    if not version.accepted_warnings:
        return None
    events: Any = version.events  # type: ignore[attr-defined] # the history's
    moved = (
        events.filter(state=PolicyVersion.State.ACTIVE)
        .select_related("pgh_context")
        .order_by("pgh_id")
        .first()
    )
    context = moved.pgh_context.metadata if moved and moved.pgh_context else {}
    return {
        "warnings": [_told(one) for one in version.accepted_warnings],
        "reason": version.acceptance_reason,
        "by": User.objects.filter(pk=context.get("user") or 0).first(),
        "at": version.activated_at,
    }


def _told(warning: dict[str, Any]) -> str:
    place = f"Row {warning['position']}: " if warning.get("position") else ""
    return f"{place}{warning.get('message', '')}"
