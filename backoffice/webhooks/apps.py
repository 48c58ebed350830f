from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "backoffice.webhooks"
    label = "webhooks"
    verbose_name = _("Stripe’s events")

    def ready(self) -> None:
        from backoffice.webhooks import receivers, signals

        signals.events_waiting.connect(receivers.wake_handling)
