from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "backoffice.accounts"
    label = "accounts"
    verbose_name = "People and access"

    def ready(self) -> None:
        from backoffice.accounts import receivers, roles  # noqa: F401

        post_migrate.connect(roles.grant_permissions, dispatch_uid="roles.grant_permissions")
