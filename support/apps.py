from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "support"
    verbose_name = _("Support")

    def ready(self) -> None:
        from anymail.signals import inbound

        from compensation.signals import claim_needs_person
        from support import checks, receivers, signals

        register(checks.check_mailboxes)

        signals.events_recorded.connect(receivers.wake_processing)
        claim_needs_person.connect(receivers.take_claim)
        signals.erasures_asked.connect(receivers.erase_by_worker)
        signals.mails_waiting.connect(receivers.mail_confirmations)
        signals.promises_changed.connect(receivers.deadlines_again)
        signals.inbound_stored.connect(receivers.wake_intake)
        signals.messages_queued.connect(receivers.wake_outgoing)
        signals.mass_reply_started.connect(receivers.wake_mass_replies)
        inbound.connect(receivers.keep_inbound_mail)
        signals.weights_changed.connect(receivers.score_again)
        signals.staff_notices_stored.connect(receivers.tell_colleagues)
        signals.deliveries_stored.connect(receivers.wake_webhooks)
