from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "backoffice.rest"
    label = "rest"
    verbose_name = "API access"
