"""Where a webhook may lead: never into our own network (server-side request forgery, CWE-918)."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# RFC 6052: an IPv4 address inside, which a gateway would unpack.
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class AddressError(Exception):
    """The name leads nowhere, or to where a webhook must not go. Says so in words."""


def check_url(url: str) -> SplitResult:
    """What an endpoint's address must look like; where it leads is asked at each sending.

    Raises:
        ValidationError: {"url": …}.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValidationError({"url": _("This is no address.")}) from None
    allowed = {"https", "http"} if settings.WEBHOOKS_MAY_BE_PRIVATE else {"https"}
    if parts.scheme not in allowed or not parts.hostname:
        raise ValidationError({"url": _("The address must begin with https:// and name a host.")})
    if parts.username or parts.password:
        raise ValidationError({"url": _("An address with a password in it is kept by too many.")})
    if port == 0:
        raise ValidationError({"url": _("There is no port 0.")})
    return parts


def public_address(host: str, port: int) -> str:
    """The IP address to connect to. All that the name has must be public, or none is used.

    Raises:
        AddressError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError(_("The name “%s” is known to no server.") % host) from None
    addresses = [str(address[0]) for *_rest, address in found]
    if not settings.WEBHOOKS_MAY_BE_PRIVATE:
        for address in addresses:
            if not is_public(address):
                raise AddressError(
                    _("%(host)s leads to %(address)s, which is no public address.")
                    % {"host": host, "address": address}
                )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether the whole internet could reach it; also what hides in an address of IPv6."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner: IPv4Address | None = ip.ipv4_mapped or ip.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or any(ip in network for network in _NAT64):
            return False
    return ip.is_global and not ip.is_multicast
