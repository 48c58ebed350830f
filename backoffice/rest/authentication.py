"""Who calls the API: the holder of a key, sent as `Authorization: Api-Key …`."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_api_key.permissions import KeyParser

from backoffice.rest.models import ApiKey


class KeyHolder:
    """The host product behind a key. Not a user: it can propose, never approve."""

    is_authenticated = True
    is_active = True
    is_staff = False
    pk = None

    def __init__(self, key: ApiKey) -> None:
        self.key = key

    def __str__(self) -> str:
        return f"API key {self.key.name}"


class ApiKeyAuthentication(BaseAuthentication):
    """Keys are looked up by their prefix and compared by hash; revoked and expired ones fail."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        secret = KeyParser().get(request)
        if not secret:
            return None
        try:
            key: ApiKey = ApiKey.objects.get_from_key(secret)  # type: ignore[assignment] # its own
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed("This API key does not exist or is revoked.") from None
        if key.has_expired:
            raise AuthenticationFailed("This API key has expired: ask for a new one.")
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:
        return KeyParser.keyword


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the key."""

    target_class = "backoffice.rest.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key` followed by a blank and the key.",
        }
