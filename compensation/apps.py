from django.apps import AppConfig


class CompensationConfig(AppConfig):
    name = "compensation"

    def ready(self) -> None:
        from compensation.receivers import draft_when_resolved
        from incidents.signals import incident_resolved

        incident_resolved.connect(draft_when_resolved, dispatch_uid="draft_when_resolved")
