"""One request: to the address that was checked, with time limits, following nothing."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from django.utils.translation import gettext as _

from support.webhooks.addresses import AddressError, public_address

CONNECT, READ = 5, 10  # seconds
ANSWER = 1000  # bytes of the answer that are kept
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. `status` 0: no answer."""

    status: int = 0
    answer: str = ""
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - success, as HTTP has it


def post(url: str, body: str, headers: dict[str, str]) -> Outcome:
    """POST `body` (JSON). Never raises: what went wrong is the outcome's `error`.

    The name is resolved once, checked, and the connection goes to that very address, so it cannot
    lead elsewhere meanwhile. A redirection is an error: it would lead past the check.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = ""
    try:
        address = public_address(host, port)
        with _pool(parts.scheme, address, port, host) as pool:
            return _ask(
                pool, parts.path or "/", parts.query, body, headers | {"Host": parts.netloc}
            )
    except AddressError as error:
        return Outcome(error=str(error))
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        return Outcome(error=_words(error, address, port)[:500])


def _words(error: Exception, address: str, port: int) -> str:
    where = {"address": address, "port": port}
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return _("Nobody takes calls at %(address)s, port %(port)s.") % where
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return _("Timeout: no answer within %s seconds.") % READ
    if isinstance(error, urllib3.exceptions.SSLError):
        return _("The certificate is not right: %s") % error
    return f"{type(error).__name__}: {error}"


def _pool(scheme: str, address: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=CONNECT, read=READ)
    if scheme == "https":
        # The certificate must be the name's, though the connection goes to the address.
        return urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, server_hostname=host, assert_hostname=host
        )
    return urllib3.HTTPConnectionPool(address, port, timeout=timeout)


def _ask(
    pool: urllib3.HTTPConnectionPool, path: str, query: str, body: str, headers: dict[str, str]
) -> Outcome:
    answer = pool.urlopen(
        "POST", f"{path}?{query}" if query else path, body=body.encode(), headers=headers,
        redirect=False, retries=False, preload_content=False,
    )  # fmt: skip
    try:
        said = answer.read1(ANSWER).decode(errors="replace").replace("\0", "")
    finally:
        answer.close()
    outcome = Outcome(answer.status, said)
    if outcome.is_delivered:
        return outcome
    if answer.headers.get("Location"):
        why = _("It leads on to another address; write that one instead.")
    else:
        why = _("It answered with status %s.") % answer.status
    return Outcome(answer.status, said, why)
