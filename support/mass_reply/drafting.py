"""The text of a mass reply, before anything is sent."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from backoffice.states import MoveError, history
from compensation.authority import person_with
from incidents.models import Incident
from support.macros import VARIABLES, check_texts
from support.mass_reply.recipients import find_recipients
from support.models import MassReply

State = MassReply.State
SEND = "support.send_mass_reply"

_OVER = {
    "en": 'Hello {{ customer.first_name | default: "there" }},\n\nthe incident you wrote to us '
    "about ({{ incident.title }}) is resolved, and everything should work again. We are sorry for "
    "the trouble.\n\nFor the outage we credit you {{ credit.amount }}; it is used on your next "
    "invoice.\n\nIf something still does not work, simply answer this message: your request "
    "{{ ticket.number }} is then opened again.",
    "de": 'Guten Tag {{ customer.first_name | default: "zusammen" }},\n\ndie Störung, wegen der '
    "Sie uns geschrieben haben ({{ incident.title }}), ist behoben; alles sollte wieder "
    "funktionieren. Es tut uns leid.\n\nFür den Ausfall schreiben wir Ihnen {{ credit.amount }} "
    "gut; das wird mit Ihrer nächsten Rechnung verrechnet.\n\nFalls noch etwas nicht geht, "
    "antworten Sie einfach auf diese Nachricht: Ihre Anfrage {{ ticket.number }} wird dann wieder "
    "geöffnet.",
    "ru": 'Здравствуйте, {{ customer.first_name | default: "уважаемый клиент" }}!\n\nСбой, о '
    "котором вы нам написали ({{ incident.title }}), устранён, всё снова должно работать. Приносим "
    "извинения.\n\nЗа простой мы начислили вам {{ credit.amount }}; сумма будет учтена в следующем "
    "счёте.\n\nЕсли что-то всё ещё не работает, просто ответьте на это письмо: ваше обращение "
    "{{ ticket.number }} откроется снова.",
}
_RUNNING = {
    "en": 'Hello {{ customer.first_name | default: "there" }},\n\nthank you for telling us. We '
    "know about it ({{ incident.title }}) and are working on it. We write to you again in "
    "{{ ticket.number }} as soon as it is resolved; there is nothing you need to do.",
    "de": 'Guten Tag {{ customer.first_name | default: "zusammen" }},\n\ndanke für Ihren Hinweis. '
    "Die Störung ist uns bekannt ({{ incident.title }}), und wir arbeiten daran. Sobald sie "
    "behoben ist, melden wir uns unter {{ ticket.number }}; Sie müssen nichts tun.",
    "ru": 'Здравствуйте, {{ customer.first_name | default: "уважаемый клиент" }}!\n\nСпасибо за '
    "сообщение. Мы знаем о проблеме ({{ incident.title }}) и работаем над ней. Как только она "
    "будет устранена, мы напишем вам в обращении {{ ticket.number }}; делать ничего не нужно.",
}


@transaction.atomic
def draft(incident: Incident, *, by: User) -> MassReply:
    """The incident's draft, made if there is none, with a text to start from and its recipients.

    While the incident runs the tickets are left open, afterwards solved; both can be changed.

    Raises:
        PermissionDenied.
        MoveError: one is being sent.
    """
    person = person_with(by, SEND)
    Incident.objects.select_for_update().get(pk=incident.pk)
    own = MassReply.objects.filter(incident=incident)
    if own.filter(state__in=[State.RUNNING, State.PAUSED]).exists():
        raise MoveError(_("A mass reply to this incident's tickets is being sent already."))
    mass_reply = own.filter(state=State.DRAFT).first()
    if mass_reply is None:
        with history(by=person):
            mass_reply = MassReply.objects.create(
                incident=incident,
                texts=dict(_RUNNING if incident.is_running else _OVER),
                solves=not incident.is_running,
                created_by=person,
            )
    find_recipients(mass_reply)
    return mass_reply


@transaction.atomic
def change_draft(
    mass_reply: MassReply, *, texts: Mapping[str, str], solves: bool, by: User
) -> MassReply:
    """Write the text by language, and say whether the tickets are solved with it.

    Raises:
        PermissionDenied.
        MoveError: it is no draft any more.
        ValidationError: a variable is unknown, or the English text is missing.
    """
    person = person_with(by, SEND)
    row = MassReply.objects.select_for_update().get(pk=mass_reply.pk)
    if row.state != State.DRAFT:
        raise MoveError(_("This mass reply has been started: its text stays as it is."))
    row.texts = clean_texts(texts)
    row.solves = solves
    with history(by=person):
        row.save(update_fields=["texts", "solves"])
    mass_reply.texts, mass_reply.solves = row.texts, row.solves
    return mass_reply


def clean_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts as they are stored; the English one stands in for those that are missing.

    Raises:
        ValidationError.
    """
    cleaned = {
        language: text.replace("\r\n", "\n").strip()
        for language, text in texts.items()
        if text.strip()
    }
    if Language.ENGLISH not in cleaned:
        raise ValidationError(
            {"texts": _("Write the English text: it stands in where another is missing.")}
        )
    check_texts(cleaned, known=VARIABLES)
    return cleaned
