"""What is logged, and what never is: one JSON object a line in production, readable lines locally.

Every line carries what is known of where it comes from: `request_id`, `task_id`, and what the call
gave as `extra` (`award_id`, `batch_id`). Secrets and personal data are taken out of every text on
its way: here, so that no call has to think of it. docs/operating.md lists the fields.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

REDACTED = "[redacted]"
_PATTERNS: list[tuple[re.Pattern[str], str]] = [
    # Stripe's keys and webhook secrets, and ours (https://docs.stripe.com/keys).
    (re.compile(r"\b(?:sk|rk|pk|whsec|ek)_[A-Za-z0-9_]{6,}"), REDACTED),
    (re.compile(r"(?i)\b(bearer|basic|api-key|token)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (
        re.compile(
            r"(?i)([\"']?(?:authorization|cookie|set-cookie|password|passwd|secret|token|"
            r"sessionid|csrftoken|stripe-signature)[\"']?\s*[:=]\s*)[\"']?[^\s\"',;}]+"
        ),
        rf"\1{REDACTED}",
    ),
    # user:password@host in an address of a server
    (re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"), REDACTED),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "[iban]"),
    (re.compile(r"(?<![\w.:-])\+\d[\d ()/-]{7,}\d"), "[phone]"),
    # PostgreSQL quotes the row that it refuses.
    (
        re.compile(r"(?ms)^(DETAIL|CONTEXT|QUERY|PARAMETERS):.*?(?=^[A-Z]+:|^Traceback|^\s*File|\Z)"),
        rf"\1: {REDACTED}\n",
    ),
]  # fmt: skip
# Whatever stands under these names is not for a log.
_SECRET_NAMES = re.compile(
    r"(?i)authorization|cookie|passw|secret|token|api_?key|signature|e_?mail|address|body|payload"
)
# What the libraries add to a record, and what can hold anything.
_UNWANTED = ("data", "user_agent", "ip", "args", "sinfo", "server_time", "stack")


def redact(text: str) -> str:
    """`text` without keys, passwords, cookies, e-mail addresses, phone and account numbers."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def config(*, level: str, is_json: bool) -> dict[str, Any]:
    """Django's LOGGING; structlog's own loggers are led the same way."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"rows": {"()": RowsByNumber}},
        "formatters": {"line": {"()": formatter, "is_json": is_json}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["rows"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # It would write three lines a call, with customers' ids in them.
            "stripe": {"level": "WARNING"},
            # It names pages by their addresses; django_structlog tells the same by their routes.
            "django.request": {"level": "CRITICAL"},
            # Beat's polling: what a task did is told by the task, and by django_structlog.
            "celery.app.trace": {"level": "ERROR"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }


def formatter(*, is_json: bool) -> logging.Formatter:
    """Of every record, ours or a library's."""
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if is_json
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_shared()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_addresses_of_pages,
            _redacted,
            last,
        ],
    )


class RowsByNumber(logging.Filter):
    """A row among a message's arguments is named by its table and number, never by its words."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_named(each) for each in record.args)
        return True


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _without_addresses_of_pages(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """An address may hold a one-time token or what somebody searched for: its route stands."""
    request = event.pop("request", None)
    if request is None:
        return event
    if isinstance(request, str):
        event["request"] = request
        return event
    path = getattr(request, "path", "")
    match = getattr(request, "resolver_match", None)
    route = f"/{match.route}" if match else "an unknown page"
    if path:
        event["event"] = str(event["event"]).replace(path, route)
    event["request"] = f"{getattr(request, 'method', '')} {route}".strip()
    return event


def _redacted(_logger: Any, _name: str, event: EventDict) -> EventDict:
    return {
        key: REDACTED if _SECRET_NAMES.search(key) else _clean(value)
        for key, value in event.items()
        if key not in _UNWANTED
    }


def _clean(value: Any) -> Any:
    value = _named(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            str(key): REDACTED if _SECRET_NAMES.search(str(key)) else _clean(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    return redact(str(value))


def _named(value: Any) -> Any:
    """A model's row as compensation.award 12; anything else as it is."""
    meta = getattr(value, "_meta", None)
    if meta is None or not hasattr(meta, "label_lower"):
        return value
    return f"{meta.label_lower} {getattr(value, 'pk', '')}".strip()
