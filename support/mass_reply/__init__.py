"""One answer to all tickets of an incident: drafted, looked at, sent once to each."""

from support.mass_reply.drafting import change_draft, draft
from support.mass_reply.figures import figures, progress
from support.mass_reply.preview import preview
from support.mass_reply.recipients import exclude, find_recipients, include
from support.mass_reply.rendering import Written, language_of, written_for
from support.mass_reply.running import cancel, pause, resume, retry_failed, start
from support.mass_reply.writing import write_slice

__all__ = [
    "Written",
    "cancel",
    "change_draft",
    "draft",
    "exclude",
    "figures",
    "find_recipients",
    "include",
    "language_of",
    "pause",
    "preview",
    "progress",
    "resume",
    "retry_failed",
    "start",
    "write_slice",
    "written_for",
]
