from django.apps import AppConfig


class OperationConfig(AppConfig):
    """The app of whoever keeps this running."""

    name = "backoffice.operation"
    label = "operation"
