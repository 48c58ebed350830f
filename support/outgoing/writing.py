"""A message of the desk, as a channel sends it."""

from django.conf import settings

from backoffice.channels.base import File, Outgoing, Party
from backoffice.channels.email.writing import new_message_id
from support.addresses import sender_of
from support.models import Attachment, Message
from support.notices import render

# Of the conversation so far; enough for any mail program to keep it together.
REFERENCES = 20


def message_id_for(message: Message) -> str:
    """The Message-ID of a mail of ours, made once, before its first attempt."""
    return message.message_id or new_message_id(sender_of(message.ticket.queue).rpartition("@")[2])


def outgoing_of(message: Message) -> Outgoing:
    """What is sent: the mail around the words, files, and where answers belong."""
    ticket = message.ticket
    notice = render(message)
    return Outgoing(
        message_id=message.message_id,
        sender=Party(sender_of(ticket.queue), settings.COMPANY_NAME),
        to=tuple(Party(address) for address in message.to),
        copied=tuple(Party(address) for address in message.cc),
        subject=message.subject or notice.subject,
        text=notice.text,
        html=notice.html,
        answers=_conversation(message),
        thread=str(ticket.pk),
        files=tuple(
            File(one.name, one.content_type, _content(one), one.content_id)
            for one in message.attachments.all()
        ),
        is_automatic=message.is_automatic,
    )


def _conversation(message: Message) -> tuple[str, ...]:
    """The Message-IDs of the public words before it, the newest last."""
    before = (
        message.ticket.messages.filter(pk__lt=message.pk)
        .exclude(message_id="")
        .exclude(kind=Message.Kind.INTERNAL)
        .order_by("-pk")
        .values_list("message_id", flat=True)[:REFERENCES]
    )
    return tuple(reversed(before))


def _content(attachment: Attachment) -> bytes:
    with attachment.file.open("rb") as file:
        return bytes(file.read())
