"""Who may open which door: the one table. A door without a row fails the test.

A row names the door, the method, who gets in, and what stands in the URL (names of `world`).
Doors of the admin are staff's; `nobody` in a row means that nobody gets in, for there a verb is
the only way.
"""

from collections.abc import Iterator
from dataclasses import replace

from tests.permissions import desk
from tests.permissions.actors import CUSTOMER, EVERY_KEY, EVERYBODY, SIGNED_IN, STAFF
from tests.permissions.rows import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    AUDITS,
    DESK,
    FINANCE,
    MANAGER,
    MONEY,
    NO_ONE,
    STOPS,
    WORKERS,
    Row,
    admin,
    api,
    form,
    look,
    pages,
)


def accounts() -> Iterator[Row]:
    """Signing in and what people keep there: their own, whoever they are."""
    for name in (
        "account_login", "account_request_login_code", "account_reset_password", "account_signup",
        "account_inactive", "account_reset_password_done", "account_reset_password_from_key_done",
    ):  # fmt: skip
        yield Row(name, EVERYBODY)
    yield Row("account_logout", EVERYBODY)
    yield Row("account_reset_password_from_key", EVERYBODY, args={"uidb36": "0", "key": "set-0"})
    # Only somebody half-way through signing in has anything there; the others are led on.
    for name in ("account_confirm_login_code", "mfa_authenticate"):
        yield Row(name, SIGNED_IN)
    for name in (
        "account_change_password", "account_set_password", "account_reauthenticate",
        "mfa_index", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_activate_totp",
        "mfa_list_webauthn", "mfa_add_webauthn", "mfa_generate_recovery_codes",
    ):  # fmt: skip
        yield Row(name, SIGNED_IN)
    # Nobody here has set one up.
    for name in ("mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes"):
        yield Row(name, NO_ONE)
    # Asks first who it is, then whose passkey.
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        yield Row(name, SIGNED_IN, args={"pk": "user"})


def django_admin() -> Iterator[Row]:
    """What Django's admin brings along."""
    yield Row("admin:index", STAFF)
    yield Row("admin:jsi18n", STAFF)
    yield Row("admin:search", STAFF)
    yield Row("admin:login", STAFF)
    yield Row("admin:logout", EVERYBODY, "POST")
    yield Row("admin:password_change", STAFF)
    yield Row("admin:password_change_done", STAFF)
    yield Row("admin:autocomplete", NO_ONE)
    yield Row("admin:app_list", MONEY, args={"app_label": "=compensation"})
    yield Row(
        "admin:view_on_site",
        NO_ONE,
        args={"content_type_id": "content_type", "object_id": "threshold"},
    )
    yield Row("/admin/(?P<url>.*)$", NO_ONE)
    yield Row("history", AUDITS)
    yield Row("dashboard-issued", MONEY)


def operation() -> Iterator[Row]:
    """What monitoring asks: with a token, which nobody here has, or as staff who may."""
    yield Row("operation-alive", EVERYBODY)
    yield Row("operation-ready", EVERYBODY)
    yield Row("operation-health", AUDITS)
    yield Row("operation-metrics", AUDITS)


def people() -> Iterator[Row]:
    yield from pages(
        "accounts", "user", "user", see=AUDITS, add=ADMINISTRATOR, change=ADMINISTRATOR
    )
    yield from pages("auth", "group", "group", see=AUDITS)
    yield from pages(
        "rest", "apikey", "api_key", see=AUDITS, add=ADMINISTRATOR, change=ADMINISTRATOR
    )


def customers() -> Iterator[Row]:
    yield from pages("customers", "customer", "customer", see=WORKERS)
    yield from pages("customers", "subscription", "subscription", see=WORKERS)
    yield from pages(
        "customers", "component", "component",
        see=WORKERS, add=MANAGER | ADMINISTRATOR, change=MANAGER | ADMINISTRATOR,
    )  # fmt: skip
    yield from pages("customers", "portalsession", "portal_session", see=AUDITS)
    yield from pages(
        "customers", "customerimport", "customer_import",
        see=AUDITS, add=ADMINISTRATOR, change=AUDITS,
    )  # fmt: skip
    yield from form("customers_customer_import", ADMINISTRATOR)
    yield from look("customers_bad_lines", AUDITS, "pk=customer_import")
    yield from admin("customers_customerimport_confirm", ADMINISTRATOR, "pk=customer_import")
    yield from admin("customers_customerimport_discard", ADMINISTRATOR, "pk=customer_import")
    yield Row("condition-fields", WORKERS)
    yield Row("condition-values", WORKERS)


def incidents() -> Iterator[Row]:
    yield from pages("incidents", "incident", "incident", see=WORKERS, add=MANAGER, change=WORKERS)
    yield from pages("incidents", "exposure", "exposure", see=WORKERS)
    yield from look("incidents_incident_affected", WORKERS, "pk=incident")
    yield from form("incidents_incident_announce", MANAGER)
    yield from form("incidents_incident_edit", MANAGER, "pk=incident")
    yield from admin("incidents_incident_recount", MANAGER, "pk=incident")
    yield from admin("incidents_incident_move", MANAGER, "pk=incident", "verb==acknowledge")
    yield from form("incidents_incident_add_outage", MANAGER, "pk=incident")
    outage = ("pk=incident", "outage_pk=outage")
    yield from form("incidents_incident_change_outage", MANAGER, *outage)
    yield from admin("incidents_incident_end_outage", MANAGER, *outage)
    yield from admin("incidents_incident_remove_outage", MANAGER, *outage)
    yield from form("incidents_incident_add_cohort", MANAGER, "pk=incident")
    yield from form("incidents_incident_upload_list", MANAGER, "pk=incident")
    yield from admin("incidents_incident_remove_cohort", MANAGER, "pk=incident", "cohort_pk=cohort")


def money() -> Iterator[Row]:
    yield from pages("compensation", "batch", "batch", see=MONEY, change=MONEY)
    yield from pages("compensation", "award", "award", see=MONEY, change=MONEY)
    yield from pages("compensation", "ledgerentry", "entry", see=MONEY)
    yield from look("compensation_ledgerentry_balances", MONEY)
    yield from look("compensation_ledgerentry_books", MONEY)
    for file in ("balances_csv", "books_file"):
        yield from look(f"compensation_ledgerentry_{file}", FINANCE | APPROVER | AUDITOR)
    # The switch's own page leads to the list, which is the page.
    for row in pages("compensation", "issuingcontrol", "control", see=MONEY):
        leads_on = row.door.endswith("_change")
        yield replace(row, opens=STAFF) if leads_on else row
    yield from pages(
        "compensation", "approvalthreshold", "threshold",
        see=MONEY, add=ADMINISTRATOR, change=ADMINISTRATOR, delete=ADMINISTRATOR,
    )  # fmt: skip
    for verb, who in {
        "price": FINANCE, "submit": FINANCE, "cancel": FINANCE, "approve": APPROVER,
        "reject": APPROVER, "pause": STOPS, "resume": STOPS, "retry": FINANCE | APPROVER,
    }.items():  # fmt: skip
        yield from admin(f"compensation_batch_{verb}", who, "pk=batch")
    for page in ("awards", "figures", "progress"):
        yield from look(f"compensation_batch_{page}", MONEY, "pk=batch")
    yield from pages(
        "compensation", "budget", "budget",
        see=MONEY, add=ADMINISTRATOR, change=ADMINISTRATOR, delete=ADMINISTRATOR,
    )  # fmt: skip
    yield from pages("compensation", "reversalrequest", "reversal", see=MONEY, change=MONEY)
    for verb, who in {
        "approve": APPROVER, "reject": APPROVER, "withdraw": FINANCE | APPROVER,
        "retry": FINANCE | APPROVER,
    }.items():  # fmt: skip
        yield from admin(f"compensation_reversalrequest_{verb}", who, "pk=reversal")
    yield from admin("compensation_reversal_settle", APPROVER, "pk=reversal_of_award")
    yield from pages("compensation", "claim", "claim", see=MONEY, change=MONEY)
    yield from admin("compensation_claim_settle", FINANCE | DESK, "pk=claim")
    yield from form("compensation_award_reverse", FINANCE | APPROVER, "pk=award")
    yield from form("compensation_batch_reverse", FINANCE | APPROVER, "pk=batch")
    yield from look("compensation_award_explanation", MONEY, "pk=award")
    yield from admin("compensation_award_exclude", FINANCE | APPROVER, "pk=award")
    yield from admin("compensation_award_include", FINANCE | APPROVER, "pk=award")
    yield from look("compensation_award_unknown", MONEY)
    yield from look("compensation_award_look", FINANCE | APPROVER, "pk=unknown_award")
    for name in ("adopt", "resend", "give_up"):
        yield from admin(f"compensation_award_{name}", APPROVER, "pk=award")
    yield from admin("compensation_award_retry", FINANCE | APPROVER, "pk=award")
    yield from look("compensation_incident_batches", MONEY, "pk=incident")
    yield from admin("compensation_incident_liability", MONEY, "pk=incident", post=False, get=True)
    yield from admin("compensation_incident_draft", FINANCE, "pk=incident")
    yield from admin("compensation_issuingcontrol_stop", STOPS)
    yield from admin("compensation_issuingcontrol_resume", STOPS)


def reconciliation() -> Iterator[Row]:
    """Finance runs it and settles what it finds; approvers, auditors and administrators read."""
    see = FINANCE | APPROVER | AUDITS
    # The list is the page.
    yield from pages("compensation", "reconciliationrun", "run", see=see, change=see)
    yield from pages("compensation", "finding", "finding", see=see, change=see)
    yield from admin("compensation_reconciliationrun_start", FINANCE)
    yield from admin("compensation_reconciliationrun_stop", FINANCE, "pk=run")
    yield from look("compensation_reconciliationrun_progress", see, "pk=run")
    yield from look("compensation_reconciliationrun_csv", see, "pk=run")
    for verb in ("accept", "reopen", "issue_again", "compare"):
        yield from admin(f"compensation_finding_{verb}", FINANCE, "pk=finding")
    yield from admin("compensation_finding_take_back", FINANCE | APPROVER, "pk=finding")


def policies() -> Iterator[Row]:
    yield from pages("compensation", "policy", "policy", see=MONEY, add=FINANCE, change=FINANCE)
    # A version is found on its policy's page, to which the list of all leads.
    for row in pages("compensation", "policyversion", "draft", see=MONEY, change=FINANCE):
        yield replace(row, opens=STAFF) if row.door.endswith("_changelist") else row
    yield Row(
        "admin:compensation_policyversion_change", NO_ONE, "POST", {"object_id": "version"}
    )  # in force: never again
    yield from admin("compensation_policyversion_activate", FINANCE, "pk=draft")
    yield from admin("compensation_policyversion_preview", FINANCE, "pk=draft")
    yield from look("compensation_policy_ready_made", FINANCE)
    yield from admin("compensation_policy_install", FINANCE)
    yield from admin("compensation_policy_import", FINANCE)
    yield from admin("compensation_policy_default", FINANCE, "pk=policy")
    yield from admin("compensation_policy_draft", FINANCE, "pk=policy")
    yield from backtests()


def backtests() -> Iterator[Row]:
    """Who may read policies may read what they would have cost; who writes them may ask."""
    yield from pages("compensation", "backtest", "backtest", see=MONEY, change=MONEY)
    for name in ("panel", "simulation"):
        yield from look(f"compensation_backtest_{name}", MONEY, "pk=draft")
    for name in ("progress", "csv", "customers"):
        yield from look(f"compensation_backtest_{name}", MONEY, "pk=backtest")
    yield from admin("compensation_backtest_start", FINANCE, "pk=draft")
    yield from admin("compensation_backtest_cancel", FINANCE, "pk=backtest")


def portal() -> Iterator[Row]:
    """The customer's pages: only with a customer, and only that customer's."""
    yield Row("after_sign_in", SIGNED_IN)
    yield Row("portal-home", frozenset({CUSTOMER}))
    yield Row("portal-credits", frozenset({CUSTOMER}))
    yield Row("portal-claim-new", frozenset({CUSTOMER}))
    yield Row("portal-claim", NO_ONE, args={"pk": "claim"})  # another's
    yield Row("portal-claim-person", NO_ONE, "POST", args={"pk": "claim"})
    yield Row("portal-incident", NO_ONE, args={"number": "incident_number"})  # another's
    yield Row("portal-end", NO_ONE)
    yield Row("portal-end", EVERYBODY, "POST")
    yield Row("portal-open", EVERYBODY, args={"token": "portal_token"})


def rest() -> Iterator[Row]:
    """The host product's door. None of these approves, rejects, pauses or issues."""
    yield Row("api-schema", EVERYBODY | EVERY_KEY)
    for name, pk in {"customer": "customer", "subscription": "subscription"}.items():
        yield from api(f"{name}-list GET", "customers:read")
        yield from api(f"{name}-list POST", "customers:write")
        yield from api(f"{name}-detail GET", "customers:read", f"pk={pk}")
        yield from api(f"{name}-detail PUT", "customers:write", f"pk={pk}")
        yield from api(f"{name}-detail PATCH", "customers:write", f"pk={pk}")
    for name in ("component", "component-use"):
        yield from api(f"{name}-list GET", "customers:read")
        yield from api(f"{name}-list POST", "customers:write")
    yield from api("subscription-components PUT", "customers:write", "pk=subscription")
    yield from api("portal-session-list POST", "portal")
    yield Row("customer-credits", frozenset({"key portal"}), args={"reference": "reference"})
    for name, pk in {"incident": "incident", "outage": "outage", "cohort": "cohort"}.items():
        yield from api(f"{name}-list GET", "incidents:read")
        yield from api(f"{name}-list POST", "incidents:write")
        yield from api(f"{name}-detail GET", "incidents:read", f"pk={pk}")
    for verb in ("acknowledge", "identify", "mitigate", "resolve", "resolve-cohorts"):
        yield from api(f"incident-{verb} POST", "incidents:write", "pk=incident")
    yield from api("outage-detail PATCH", "incidents:write", "pk=outage")
    yield from api("outage-end POST", "incidents:write", "pk=outage")
    yield from api("cohort-exposures POST", "incidents:write", "pk=cohort")
    yield from api("exposure-list GET", "incidents:read")
    yield from api("policy-list GET", "policies:read")
    yield from api("policy-detail GET", "policies:read", "key=policy_key")
    yield from api("batch-list GET", "batches:read")
    yield from api("batch-detail GET", "batches:read", "number=batch_number")
    yield from api("award-list GET", "batches:read")
    yield from api("award-detail GET", "batches:read", "pk=award")
    yield from api("claim-list GET", "claims:read")
    yield from api("claim-detail GET", "claims:read", "pk=claim")
    yield from api("claim-list POST", "claims:propose")
    yield from api("reversal-list GET", "batches:read")
    yield from api("reversal-detail GET", "batches:read", "pk=reversal")
    yield from api("reversal-list POST", "batches:propose")
    yield from api("batch-list POST", "batches:propose")
    yield from api("batch-price POST", "batches:propose", "number=batch_number")
    yield from api("batch-submit POST", "batches:propose", "number=batch_number")


TABLE: list[Row] = [
    row
    for part in (
        accounts,
        django_admin,
        operation,
        people,
        customers,
        incidents,
        money,
        reconciliation,
        policies,
        portal,
        rest,
        *desk.PARTS,
    )
    for row in part()
]
