"""One customer's books beside what Stripe says: no database, no network, the same answer always."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from compensation.models.reconciliation import FindingKind as Kind
from compensation.reconciliation.consuming import compare_uses
from compensation.reconciliation.differences import Comparison, Difference
from compensation.reconciliation.matching import Matches, is_booking, is_use, match
from compensation.reconciliation.ours import Books, Claim, Trial
from compensation.reconciliation.theirs import Seen
from compensation.stripe_calls import Subscription, Transaction

# A subscription that has ended has no trial to speak of.
ENDED = frozenset({"canceled", "incomplete_expired"})


def compare(books: Books, seen: Seen, *, now: datetime) -> Comparison:
    """All differences of one customer, and the sums they explain to the cent."""
    comparison = Comparison(books.customer, awards=books.awards, transactions=seen.count)
    for currency, ours in books.balances().items():
        comparison.lines[currency].ours = ours
    for account in books.accounts:
        _add_balance(comparison, seen.transactions.get(account, []))
    matches = match(books, seen)
    _compare_refused(comparison, books, seen)
    for claim in books.claims:
        if claim.account not in seen.refused:
            _compare_claim(comparison, books, claim, matches)
    _compare_unknown(comparison, matches)
    compare_uses(comparison, books, seen, matches, now=now)
    _compare_rest(comparison, books)
    _compare_trials(comparison, books, seen)
    return comparison


def _add_balance(comparison: Comparison, found: Iterable[Transaction]) -> None:
    """What the account holds by Stripe's own sum, which stands in its newest transaction."""
    counted = set()
    for each in found:
        if each.currency not in counted:
            counted.add(each.currency)
            comparison.lines[each.currency.upper()].stripe -= each.ending_balance
        if not is_booking(each) and not is_use(each):
            # Stripe's own bookkeeping: credit notes, overpaid invoices, sums too small to collect
            comparison.lines[each.currency.upper()].not_ours -= each.amount


# --- credits and what takes them back ---------------------------------------------------------


def _compare_claim(comparison: Comparison, books: Books, claim: Claim, matches: Matches) -> None:
    found = matches.of_claim[claim.name]
    if claim.is_under_way:
        _add_under_way(comparison, books, claim, found)
    elif claim.is_standing:
        _compare_standing(comparison, books, claim, matches)
    else:
        if claim.state == "approved":
            _add_booked_before(comparison, books, claim)
        for each in found:
            state = f"{claim.name.capitalize()}, which it names, is {claim.state} by our books."
            comparison.differ(_unknown(books.customer, claim.account, each, state, claim.award))


def _compare_standing(comparison: Comparison, books: Books, claim: Claim, matches: Matches) -> None:
    found = matches.of_claim[claim.name]
    if not found:
        comparison.differ(_missing(books, claim))
        return
    main, *extra = found
    held = -main.amount - matches.corrected[main.stripe_id]
    if (claim.amount_minor, claim.currency) != (held, main.currency.upper()):
        comparison.differ(_other_amount(books, claim, main, held))
    for each in extra:
        held = -each.amount - matches.corrected[each.stripe_id]
        if held:
            comparison.differ(_doubled(books, claim, each, main, held))


def _add_under_way(
    comparison: Comparison, books: Books, claim: Claim, found: list[Transaction]
) -> None:
    """Not settled yet: what stands on either side is on its way, and no finding."""
    for each in found:
        comparison.lines[each.currency.upper()].under_way -= each.amount
    _add_booked_before(comparison, books, claim)


def _add_booked_before(comparison: Comparison, books: Books, claim: Claim) -> None:
    """The ledger has it already where it is issued again because Stripe had lost it."""
    booked = sum(
        entry.amount_minor
        for entry in books.entries
        if entry.award == claim.award and entry.kind == "credit"
    )
    if booked and claim.name.startswith("award"):
        comparison.lines[claim.currency].under_way -= booked


def _missing(books: Books, claim: Claim) -> Difference:
    return Difference(
        identity=f"{Kind.MISSING}:{claim.name}",
        kind=Kind.MISSING,
        customer=books.customer,
        award=claim.award,
        stripe_id=claim.stripe_id,
        stripe_customer=claim.account,
        currency=claim.currency,
        ours_minor=claim.amount_minor,
        detail=f"Our books say {claim.name} is booked; Stripe has no such transaction.",
    )


def _other_amount(books: Books, claim: Claim, main: Transaction, held: int) -> Difference:
    currency = main.currency.upper()
    return Difference(
        identity=f"{Kind.AMOUNT}:{main.stripe_id}",
        kind=Kind.AMOUNT,
        customer=books.customer,
        award=claim.award,
        stripe_id=main.stripe_id,
        stripe_customer=claim.account,
        currency=claim.currency,
        ours_minor=claim.amount_minor,
        stripe_minor=held,
        stripe_currency="" if currency == claim.currency else currency,
        detail=f"Stripe has {claim.name} with another "
        + ("amount." if currency == claim.currency else "currency."),
    )


def _doubled(
    books: Books, claim: Claim, extra: Transaction, main: Transaction, held: int
) -> Difference:
    return Difference(
        identity=f"{Kind.DOUBLED}:{extra.stripe_id}",
        kind=Kind.DOUBLED,
        customer=books.customer,
        award=claim.award,
        stripe_id=extra.stripe_id,
        stripe_customer=claim.account,
        currency=extra.currency.upper(),
        stripe_minor=held,
        detail=f"Stripe has {claim.name} again, besides {main.stripe_id}.",
    )


def _compare_unknown(comparison: Comparison, matches: Matches) -> None:
    for account, each in matches.unknown:
        comparison.differ(_unknown(comparison.customer, account, each, _whence(each)))


def _unknown(
    customer: int, account: str, each: Transaction, detail: str, award: int | None = None
) -> Difference:
    return Difference(
        identity=f"{Kind.UNKNOWN}:{each.stripe_id}",
        kind=Kind.UNKNOWN,
        customer=customer,
        award=award,
        stripe_id=each.stripe_id,
        stripe_customer=account,
        currency=each.currency.upper(),
        stripe_minor=-each.amount,
        detail=detail,
    )


def _whence(each: Transaction) -> str:
    named = each.metadata.get("amends_reversal") or each.metadata.get("award")
    if named:
        return f"It names {named!r}, and we booked nothing of that name for this customer."
    return "Made by hand or by another system: it names no award."


# --- what is left -----------------------------------------------------------------------------


def _compare_refused(comparison: Comparison, books: Books, seen: Seen) -> None:
    """Accounts that Stripe does not show, as far as our books have something there."""
    refused = [account for account in books.accounts if account in seen.refused]
    standing = [claim for claim in books.claims if claim.is_standing and claim.account in refused]
    if len(refused) == len(books.accounts):
        sums = books.balances()
    else:
        sums = defaultdict(int)
        for claim in standing:
            sums[claim.currency] += claim.amount_minor
    for currency, ours in sorted(sums.items()):
        if not ours or not refused:
            continue
        comparison.differ(
            Difference(
                identity=f"{Kind.UNREADABLE}:{refused[0]}:{currency}",
                kind=Kind.UNREADABLE,
                customer=books.customer,
                stripe_id=refused[0],
                stripe_customer=refused[0],
                currency=currency,
                ours_minor=ours,
                detail=f"Stripe says: {seen.refused[refused[0]]}",
            )
        )


def _compare_rest(comparison: Comparison, books: Books) -> None:
    """What the sums differ by, and no single difference explains."""
    for currency, line in sorted(comparison.lines.items()):
        rest = line.unexplained
        if rest:
            comparison.differ(
                Difference(
                    identity=f"{Kind.BALANCE}:{books.customer}:{currency}",
                    kind=Kind.BALANCE,
                    customer=books.customer,
                    stripe_customer=books.accounts[0] if books.accounts else "",
                    currency=currency,
                    ours_minor=line.stripe - rest,
                    stripe_minor=line.stripe,
                    detail="The balances differ, and no single transaction explains it.",
                )
            )


# --- trials -----------------------------------------------------------------------------------


def _compare_trials(comparison: Comparison, books: Books, seen: Seen) -> None:
    """The latest date that we set for a subscription counts: it includes those before it."""
    latest: dict[str, Trial] = {}
    for trial in books.trials:
        known = latest.get(trial.subscription)
        if known is None or trial.target > known.target:
            latest[trial.subscription] = trial
    for name, trial in latest.items():
        if name in seen.refused:
            comparison.differ(_refused_trial(books, trial, seen.refused[name]))
        elif _ends_early(trial, seen.subscriptions[name]):
            comparison.differ(_early_trial(books, trial, seen.subscriptions[name]))


def _ends_early(trial: Trial, seen: Subscription) -> bool:
    if seen.status in ENDED:
        return False
    return (seen.shown_trial_end or 0) < int(trial.target.timestamp())


def _early_trial(books: Books, trial: Trial, seen: Subscription) -> Difference:
    end = seen.shown_trial_end
    return Difference(
        identity=f"{Kind.TRIAL}:award {trial.award}",
        kind=Kind.TRIAL,
        customer=books.customer,
        award=trial.award,
        stripe_id=trial.subscription,
        stripe_customer=books.accounts[0] if books.accounts else "",
        our_date=trial.target,
        stripe_date=None if end is None else datetime.fromtimestamp(end, UTC),
        detail=f"The trial is to run until {trial.target:%Y-%m-%d %H:%M} UTC; at Stripe it "
        + (
            f"ends {datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M} UTC." if end else "has no end."
        ),
    )


def _refused_trial(books: Books, trial: Trial, message: str) -> Difference:
    return Difference(
        identity=f"{Kind.UNREADABLE}:{trial.subscription}",
        kind=Kind.UNREADABLE,
        customer=books.customer,
        award=trial.award,
        stripe_id=trial.subscription,
        our_date=trial.target,
        detail=f"Stripe says: {message}",
    )
