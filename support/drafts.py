"""What a colleague has begun to write: kept every few seconds, so that nothing typed is lost."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from support.attachments import store_attachment
from support.authority import worker_on
from support.models import Attachment, Draft, Message, Ticket


class DraftMovedOnError(MoveError):
    """The draft is not the one this window knows: it was changed, sent or dropped elsewhere."""

    def __init__(self, draft: Draft | None) -> None:
        self.draft = draft
        super().__init__(
            _("You wrote something else here in another window.")
            if draft
            else _("What you wrote here was sent or dropped in another window.")
        )


def draft_of(ticket: Ticket, user: User) -> Draft | None:
    """What `user` has begun in this ticket."""
    return Draft.objects.filter(ticket=ticket, user=user).first()


def version_of(draft: Draft | None) -> str:
    """Which state of a draft a window shows; empty without one."""
    return draft.updated_at.isoformat() if draft else ""


@transaction.atomic
def save_draft(
    ticket: Ticket, *, by: User, kind: str, text: str, version: str | None = None
) -> Draft | None:
    """Keep what is typed. Nothing typed and no files: nothing is kept, and None comes back.

    `version` is what the window last knew (`version_of`); None saves without comparing.

    Raises:
        PermissionDenied.
        DraftMovedOnError: somewhere else it was changed, sent or dropped since then.
    """
    worker_on(ticket, by)
    if kind not in Message.Kind.values:
        kind = Message.Kind.PUBLIC
    # The ticket's row is what two windows of one person without a draft can both lock.
    Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    draft = draft_of(ticket, by)
    is_same = draft is not None and (draft.kind, draft.text) == (kind, text)
    if version is not None and version != version_of(draft) and not is_same:
        raise DraftMovedOnError(draft)
    if not text.strip() and not (draft and draft.attachments.exists()):
        if draft:
            draft.delete()
        return None
    draft = draft or Draft(ticket=ticket, user=by)
    if not is_same:
        draft.kind, draft.text = kind, text
        draft.save()
    return draft


@transaction.atomic
def attach_to_draft(ticket: Ticket, *, by: User, name: str, content: Any) -> Attachment:
    """Keep a file with what `by` has begun to write, beginning it if need be.

    Raises:
        PermissionDenied, ValidationError (too large, empty, a program).
    """
    worker_on(ticket, by)
    draft, _created = Draft.objects.get_or_create(ticket=ticket, user=by)
    return store_attachment(name, content, draft=draft)


def remove_from_draft(ticket: Ticket, *, by: User, attachment_id: int) -> None:
    """Take a file off one's own draft; one that is gone already stays gone."""
    for attachment in Attachment.objects.filter(
        pk=attachment_id, draft__ticket=ticket, draft__user=by
    ):
        attachment.file.delete(save=False)
        attachment.delete()


def move_drafts(source: Ticket, target: Ticket) -> None:
    """What colleagues have begun in `source` goes on in `target`; after what they began there."""
    there = {draft.user_id: draft for draft in Draft.objects.filter(ticket=target)}
    for draft in Draft.objects.filter(ticket=source):
        known = there.get(draft.user_id)
        if known is None:
            Draft.objects.filter(pk=draft.pk).update(ticket=target)
            continue
        known.text = "\n\n".join(text for text in (known.text, draft.text) if text.strip())
        known.save(update_fields=["text", "updated_at"])
        draft.attachments.update(draft=known)
        draft.delete()


def others_writing(ticket: Ticket, user: User) -> list[Draft]:
    """The drafts of colleagues in this ticket, with their authors."""
    return list(
        Draft.objects.filter(ticket=ticket).exclude(user=user).select_related("user").order_by("id")
    )
