"""Every setting, read from the environment, safe by default.

Two environments: `production` (the default as soon as DATABASE_URL is set) and `local` (the
default without it: embedded services, loopback addresses only, no HTTPS). docs/operating.md
lists the variables.
"""

import logging
import os
import secrets
from email.utils import parseaddr
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from backoffice import embedded, logs

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

ENVIRONMENT = env.str(
    "AMENDS_ENVIRONMENT", default="production" if env.str("DATABASE_URL", "") else "local"
)
if ENVIRONMENT not in {"local", "production"}:
    raise ImproperlyConfigured(
        f"AMENDS_ENVIRONMENT is {ENVIRONMENT!r}: set it to 'local' or 'production'."
    )
LOCAL = ENVIRONMENT == "local"
DEBUG = env.bool("DEBUG", default=False)


def _local_secret() -> str:
    """A secret of this checkout's own, made once, so that local sessions survive a restart."""
    path = LOCAL_DIR / "secret_key"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_urlsafe(64), encoding="utf-8")
        path.chmod(0o600)
    return path.read_text(encoding="utf-8").strip()


SECRET_KEY = env.str("SECRET_KEY", default="") or (_local_secret() if LOCAL else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set: give it 50 or more random characters.")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOOPBACK if LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach this installation: for links in mails, portal links and webhooks.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000" if LOCAL else "")

# Who speaks to customers on their pages and in mails, and where they can write to.
COMPANY_NAME = env.str("COMPANY_NAME", default="Amends")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Amends <amends@localhost>")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default=parseaddr(DEFAULT_FROM_EMAIL)[1])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_standardized_errors",
    "djangoql",
    "django_htmx",
    "django_structlog",
    "pgtrigger",
    "pghistory",
    "backoffice.accounts",
    "backoffice.rest",
    "backoffice.customers",
    "incidents",
    "compensation",
    "support",
    "backoffice.webhooks",
    "backoffice.operation",
    "backoffice.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backoffice.middleware.SignedOutMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "backoffice.accounts.middleware.LogMiddleware",
    "backoffice.accounts.middleware.ReaderMiddleware",
    "backoffice.accounts.middleware.HistoryMiddleware",
    "backoffice.middleware.UnstorableMiddleware",
]

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["backoffice.display"],
        },
    },
]

# --- data -----------------------------------------------------------------------------------

DATABASES = {
    "default": env.db_url_config(
        env.str("DATABASE_URL", default="") or embedded.database_url(BASE_DIR)
    )
}
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default="test_amends")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BROKER_URL = env.str("BROKER_URL", default="") or embedded.broker_url(BASE_DIR)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # kombu spells a Redis socket redis+socket://, redis-py unix://
        "LOCATION": env.str("CACHE_URL", default="")
        or BROKER_URL.replace("redis+socket://", "unix://", 1),
        "KEY_PREFIX": "amends",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- people ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("after_sign_in")
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_ADAPTER = "backoffice.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"request_login_code": "backoffice.customers.forms.RequestCodeForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
# Signing up is closed; without a password here django-allauth leaves it out of signing in too.
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by administrators and imports
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    # What one connection, and one address, may send by the public form.
    "contact": env.str("CONTACT_RATE", default="30/h/ip,5/h/key"),
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a mail to the owner whenever a way to sign in changes
# How many proxies stand before us: the limits on sign-in attempts count by address.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = COMPANY_NAME
# Passkeys without HTTPS, on a developer's own machine only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL
# Staff must have used a second factor in this session before they can approve money.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not LOCAL)
PORTAL_LINK_SECONDS = env.int("PORTAL_LINK_SECONDS", default=300)
PORTAL_SESSION_SECONDS = env.int("PORTAL_SESSION_SECONDS", default=3600)
# Hosts that a portal session may lead back to: exact, or .example.com with all below it.
PORTAL_RETURN_HOSTS = env.list(
    "PORTAL_RETURN_HOSTS", default=["localhost", "127.0.0.1", "::1"] if LOCAL else []
)

# --- languages and time ---------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "backoffice" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "backoffice" / "static"]
# Without `collectstatic` (a checkout), WhiteNoise serves from where the files lie.
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_AUTOREFRESH = LOCAL
# Files that come with tickets, outside what any web server shows. ATTACHMENTS_S3_BUCKET keeps them
# on S3-compatible storage instead (needs django-storages[s3], credentials as boto3 finds them).
ATTACHMENTS_S3_BUCKET = env.str("ATTACHMENTS_S3_BUCKET", default="")
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=20 * 1024 * 1024)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "attachments": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": ATTACHMENTS_S3_BUCKET,
            "endpoint_url": env.str("ATTACHMENTS_S3_ENDPOINT", default="") or None,
            "default_acl": "private",
            "querystring_auth": True,
            "file_overwrite": False,
        },
    }
    if ATTACHMENTS_S3_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.str("ATTACHMENTS_DIR", default="") or LOCAL_DIR / "attachments",
            "base_url": None,
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
# The largest form is a policy: 200 rows and 200 examples, each of some 30 fields. Beyond its own
# limit it says so itself, instead of Django's bare refusal.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000

# --- mail -----------------------------------------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://" if LOCAL else "smtp://"))
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=30)
# Mailboxes that tickets come from, each as imaps://user:password@host/INBOX (docs/email.md).
SUPPORT_MAILBOXES = env.list("SUPPORT_MAILBOXES", default=[]) or env.list("IMAP_URL", default=[])
# Answers come to support+t123.<signature>@...; off where the mail server knows no plus-addresses.
SUPPORT_PLUS_ADDRESSES = env.bool("SUPPORT_PLUS_ADDRESSES", default=True)

# Mail services (docs/email.md): ANYMAIL_MAILGUN_API_KEY and the like, as django-anymail names them.
# What they post to us is let in only with ANYMAIL_WEBHOOK_SECRET, a "user:password".
ANYMAIL = {
    name.removeprefix("ANYMAIL_"): value
    for name, value in os.environ.items()
    if name.startswith("ANYMAIL_")
}
if EMAIL_SERVICE := env.str("EMAIL_SERVICE", default=""):
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_SERVICE}.EmailBackend"

# --- the desk -------------------------------------------------------------------------------

# Whether outgoing webhooks may lead into our own network, and without TLS. Never in production,
# unless the other system stands in the same network.
WEBHOOKS_MAY_BE_PRIVATE = env.bool("WEBHOOKS_MAY_BE_PRIVATE", default=LOCAL)

# Whether queues may acknowledge new tickets by themselves.
SUPPORT_ACKNOWLEDGES = env.bool("SUPPORT_ACKNOWLEDGES", default=True)
# How much work a browser does before the public form is taken, in rounds of PBKDF2 a try (256 tries
# on average): about a second on a phone. 0 would be no work.
CONTACT_WORK_ROUNDS = env.int("CONTACT_WORK_ROUNDS", default=5000)
# How long an agent's answer waits, so that it can be taken back.
SUPPORT_UNDO_SECONDS = env.int("SUPPORT_UNDO_SECONDS", default=8)
# Matching tickets to incidents: how long after an incident's end; from which confidence (in
# thousandths) on a ticket is linked, and from which proposed; files with the company's own words.
SUPPORT_MATCH_DAYS = env.int("SUPPORT_MATCH_DAYS", default=3)
SUPPORT_MATCH_LINK_FROM = env.int("SUPPORT_MATCH_LINK_FROM", default=750)
SUPPORT_MATCH_PROPOSE_FROM = env.int("SUPPORT_MATCH_PROPOSE_FROM", default=450)
SUPPORT_MATCH_WORDS = env.list("SUPPORT_MATCH_WORDS", default=[])
# Answering all tickets of an incident: messages a minute, and how long an agent's own answer
# keeps a ticket out of it.
SUPPORT_MASS_REPLY_PER_MINUTE = env.int("SUPPORT_MASS_REPLY_PER_MINUTE", default=1200)
SUPPORT_MASS_REPLY_REST_MINUTES = env.int("SUPPORT_MASS_REPLY_REST_MINUTES", default=30)
# Asking customers: how long after a ticket is solved (negative: never), and whether one mass reply
# counts as an answer to ask about; how many of 100 customers an incident hit are asked some days
# after its end (0: none), and for how long nobody is asked that again; how long an answer can be
# changed.
SUPPORT_CSAT_DELAY_HOURS = env.int("SUPPORT_CSAT_DELAY_HOURS", default=24)
SUPPORT_CSAT_AFTER_MASS_REPLY = env.bool("SUPPORT_CSAT_AFTER_MASS_REPLY", default=False)
SUPPORT_NPS_SHARE = env.int("SUPPORT_NPS_SHARE", default=0)
SUPPORT_NPS_DELAY_DAYS = env.int("SUPPORT_NPS_DELAY_DAYS", default=21)
SUPPORT_NPS_REST_DAYS = env.int("SUPPORT_NPS_REST_DAYS", default=90)
SUPPORT_SURVEY_CHANGE_DAYS = env.int("SUPPORT_SURVEY_CHANGE_DAYS", default=14)

# --- Celery ---------------------------------------------------------------------------------

CELERY_BROKER_URL = BROKER_URL
# Installations that share a broker need a queue each.
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", default="amends")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the longest task (a minute), so that only lost work is handed out again.
    "visibility_timeout": 300,
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 5,
}
CELERY_TIMEZONE = "UTC"

# --- Stripe ---------------------------------------------------------------------------------

STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
STRIPE_IS_SANDBOX = not STRIPE_API_KEY
# The sandbox of this project answers where no key is set; a real key goes to Stripe itself.
STRIPE_API_BASE = env.str(
    "STRIPE_API_BASE", default="http://127.0.0.1:12111" if STRIPE_IS_SANDBOX else ""
)
STRIPE_API_KEY = STRIPE_API_KEY or "sk_test_sandbox"
# Calls a second to one Stripe account. Stripe allows 100 live and 25 in test mode.
STRIPE_CALLS_PER_SECOND = env.float(
    "STRIPE_CALLS_PER_SECOND",
    default=25.0 if STRIPE_API_KEY.startswith("sk_test_") and not STRIPE_IS_SANDBOX else 100.0,
)
STRIPE_CALLS_IN_FLIGHT = env.int("STRIPE_CALLS_IN_FLIGHT", default=32)
STRIPE_TIMEOUT_SECONDS = env.int("STRIPE_TIMEOUT_SECONDS", default=30)
# The secrets of the endpoint at Stripe that posts its events to us (whsec_...): two while one is
# being replaced. None: that door is shut, unless the sandbox is this project's own.
STRIPE_WEBHOOK_SECRETS = env.list(
    "STRIPE_WEBHOOK_SECRETS",
    default=["whsec_sandbox"] if LOCAL and STRIPE_IS_SANDBOX else [],
)
# The part of the calls that reading again what events tell of may make, and after how many hours
# the balance of a customer with open credit is read although nothing was announced.
STRIPE_EVENTS_SHARE = env.float("STRIPE_EVENTS_SHARE", default=0.2)
STRIPE_POLL_HOURS = env.int("STRIPE_POLL_HOURS", default=24)
# How long settled events are kept: they tell names and addresses.
STRIPE_EVENTS_DAYS = env.int("STRIPE_EVENTS_DAYS", default=60)
# Reconciliation: the part of these calls that it may make while nothing is issued; the hour (UTC)
# from which on the day's run starts (-1: only by hand); the weekday (0 is Monday, -1 none) whose
# run takes all customers, not only those with awards; how long a use by an invoice may be unbooked;
# how many customers are committed together.
RECONCILIATION_SHARE = env.float("RECONCILIATION_SHARE", default=0.8)
RECONCILIATION_HOUR = env.int("RECONCILIATION_HOUR", default=3)
RECONCILIATION_FULL_WEEKDAY = env.int("RECONCILIATION_FULL_WEEKDAY", default=6)
RECONCILIATION_GRACE_SECONDS = env.int("RECONCILIATION_GRACE_SECONDS", default=900)
RECONCILIATION_CHUNK = env.int("RECONCILIATION_CHUNK", default=100)

# --- the books ------------------------------------------------------------------------------

# In which zone a day and a month of the books begin, and the currency they are kept in.
BOOKS_TIME_ZONE = env.str("BOOKS_TIME_ZONE", default="UTC")
BOOKS_CURRENCY = env.str("BOOKS_CURRENCY", default="EUR")
# The account codes of what is exported: what compensation costs (`goodwill` where that has an
# account of its own), what customers hold as credit, and the invoices that credit pays. The default
# is from DATEV's SKR 04: 4700 reductions in revenue, 3500 other liabilities, 1200 receivables.
BOOKS_ACCOUNTS = {
    "compensation": "4700",
    "credits": "3500",
    "receivables": "1200",
    **env.dict("BOOKS_ACCOUNTS", default={}),
}
# For DATEV: whose books (the tax consultant's and the client's number), how long account numbers
# are, and in which month the fiscal year begins.
BOOKS_DATEV_CONSULTANT = env.int("BOOKS_DATEV_CONSULTANT", default=0)
BOOKS_DATEV_CLIENT = env.int("BOOKS_DATEV_CLIENT", default=0)
BOOKS_DATEV_ACCOUNT_LENGTH = env.int("BOOKS_DATEV_ACCOUNT_LENGTH", default=4)
BOOKS_FISCAL_YEAR_BEGINS = env.int("BOOKS_FISCAL_YEAR_BEGINS", default=1)

# --- API ------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["backoffice.rest.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["backoffice.rest.permissions.HasScope"],
    "DEFAULT_PAGINATION_CLASS": "backoffice.rest.pagination.NewestFirst",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "backoffice.rest.schema.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["backoffice.rest.throttling.KeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"key": env.str("API_RATE", default="12000/min")},
    "EXCEPTION_HANDLER": "backoffice.rest.problems.problem",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "backoffice.rest.problems.ProblemHandler",
    "EXCEPTION_FORMATTER_CLASS": "backoffice.rest.problems.ProblemFormatter",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Amends",
    "DESCRIPTION": "Customers, what hit them, and what they are owed.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AwardState": "compensation.models.award.AwardState",
        "AwardSource": "compensation.models.Award.Source",
        "BatchState": "compensation.models.batch.BatchState",
        "IncidentState": "incidents.models.incident.State",
        "TicketStatus": "support.models.ticket.Status",
        "TicketChannel": "support.models.ticket.Channel",
        "TicketBand": "support.models.ticket.Band",
        "MassReplyState": "support.models.MassReply.State",
        "IncidentMatchState": "support.models.IncidentMatch.State",
        "CustomerLanguage": "backoffice.customers.models.customer.Language",
        "CohortSource": "incidents.models.Cohort.Source",
    },
}

# --- history --------------------------------------------------------------------------------

PGHISTORY_APPEND_ONLY = True
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
# A ticket has a timeline of its own.
HISTORY_NOT_BEHIND = ("/api/v1/tickets/",)

# --- security -------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "backoffice.middleware.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if not LOCAL:
    # Probes come from inside, without TLS.
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|health|metrics)$"]
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if env.bool("BEHIND_TLS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- monitoring -----------------------------------------------------------------------------

# What Prometheus and whoever reads /health shows as "Authorization: Bearer ..."; without it these
# doors are shut, except to staff who may.
MONITORING_TOKEN = env.str("MONITORING_TOKEN", default="")
# From which age on, in seconds, /health calls it unwell: the last word of a worker, an award that
# could be sent, an event of Stripe's, mail and what happened to tickets.
HEALTH_WORKER_SECONDS = env.int("HEALTH_WORKER_SECONDS", default=120)
HEALTH_UNSENT_SECONDS = env.int("HEALTH_UNSENT_SECONDS", default=900)
HEALTH_WEBHOOK_SECONDS = env.int("HEALTH_WEBHOOK_SECONDS", default=900)
HEALTH_MAIL_SECONDS = env.int("HEALTH_MAIL_SECONDS", default=900)

# --- logs -------------------------------------------------------------------------------------

# JSON for machines, or lines for people.
LOG_FORMAT = env.str("LOG_FORMAT", default="lines" if LOCAL else "json")
if LOG_FORMAT not in {"lines", "json"}:
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}: set it to 'lines' or 'json'.")
LOGGING = logs.config(level=env.str("LOG_LEVEL", default="INFO"), is_json=LOG_FORMAT == "json")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# Beat's tasks come every few seconds, and each request would begin with a line of its own.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_FAILURE_LOG_LEVEL = logging.WARNING

UNFOLD = {
    "SITE_TITLE": "Amends",
    "SITE_HEADER": "Amends",
    "SITE_SYMBOL": "handshake",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("amends/favicon.svg"),
        }
    ],
    "STYLES": [lambda _request: static("amends/admin.css")],
    "SCRIPTS": [lambda _request: static("amends/admin.js")],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ACCOUNT": {
        "navigation": [
            {"title": _("Second factor"), "link": reverse_lazy("mfa_index")},
            {"title": _("Password"), "link": reverse_lazy("account_change_password")},
        ]
    },
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "backoffice.admin.environment",
    "GLOBAL_CALLBACK": "backoffice.admin.everywhere",
    "DASHBOARD_CALLBACK": "backoffice.admin.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "backoffice.admin.navigation"},
    "COLORS": {
        # A quiet petrol; white on 600 has a contrast of 6.4.
        "primary": {
            "50": "oklch(97.5% .012 220)",
            "100": "oklch(94.5% .025 220)",
            "200": "oklch(89% .045 220)",
            "300": "oklch(80% .075 221)",
            "400": "oklch(74% .09 222)",
            "500": "oklch(60% .1 225)",
            "600": "oklch(47% .08 228)",
            "700": "oklch(40% .07 230)",
            "800": "oklch(34% .058 231)",
            "900": "oklch(29% .048 232)",
            "950": "oklch(22% .036 233)",
        }
    },
}
