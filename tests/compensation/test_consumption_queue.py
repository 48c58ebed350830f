"""First in, first out, whatever the order in which our books learn of it."""

from hypothesis import given
from hypothesis import strategies as st

from compensation.consumption.queue import APPLIED, UNAPPLIED, Movement, Queue, Use

AMOUNTS = st.integers(min_value=1, max_value=100)


def credit(award, amount):
    return Movement(f"c{award}", -amount, "adjustment", booked=((award, amount),))


def by_hand(amount):
    return Movement(f"h{amount}", amount, "adjustment")


def used(name, amount, invoice="in_1"):
    return Movement(name, amount, APPLIED, invoice)


def voided(name, amount, invoice="in_1"):
    return Movement(name, -amount, UNAPPLIED, invoice)


def allocate(*movements, left=None):
    return Queue(left or {}, ranks={}).allocate(movements)


@st.composite
def histories(draw):
    """Credits, credits by hand and invoices as Stripe may show them, oldest first."""
    made = []
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["credit", "hand", "use", "void"]))
        amount = draw(AMOUNTS)
        if kind == "credit":
            made.append(credit(number, amount))
        elif kind == "hand":
            made.append(Movement(f"h{number}", -amount, "adjustment"))
        elif kind == "use":
            made.append(used(f"u{number}", amount, f"in_{number}"))
        else:
            uses = [each for each in made if each.kind == APPLIED]
            gone = {each.invoice for each in made if each.kind == UNAPPLIED}
            open_ones = [each for each in uses if each.invoice not in gone]
            if open_ones:
                of = draw(st.sampled_from(open_ones))
                made.append(voided(f"v{number}", of.amount, of.invoice))
    return made


def booked(movements, uses):
    """The history once `uses` stand in our ledger."""
    parts = {}
    for use in uses:
        parts.setdefault(use.stripe_id, []).append((use.award, use.amount_minor))
    return [
        Movement(
            each.stripe_id, each.amount, each.kind, each.invoice,
            each.booked or tuple(parts.get(each.stripe_id, ())),
        )
        for each in movements
    ]  # fmt: skip


@given(histories())
def test_no_credit_is_used_beyond_itself_and_no_use_beyond_the_invoice(history):
    done = allocate(*history)
    left = {award: minor for each in history for award, minor in each.booked}
    amounts = {each.stripe_id: each.amount for each in history}
    for use in done.uses:
        left[use.award] += use.amount_minor
        assert left[use.award] >= 0
    for name in {use.stripe_id for use in done.uses}:
        total = sum(use.amount_minor for use in done.uses if use.stripe_id == name)
        assert abs(total) <= abs(amounts[name])
        assert total * amounts[name] < 0


@given(histories())
def test_what_is_booked_is_not_booked_again(history):
    # what went wholly beyond our credits stays so, too
    assert allocate(*booked(history, allocate(*history).uses)).uses == []


@given(histories(), st.data())
def test_reading_in_two_parts_books_the_same(history, data):
    cut = data.draw(st.integers(0, len(history)))
    once = allocate(*history).uses
    first = allocate(*history[:cut]).uses
    second = allocate(*booked(history, first)).uses
    assert first + second == once


def test_oldest_credit_goes_first_and_the_rest_is_nobodys():
    done = allocate(credit(1, 30), credit(2, 20), used("u", 60))
    assert done.uses == [Use("u", 1, -30), Use("u", 2, -20)]
    assert not done.is_waiting


def test_credit_that_came_after_the_invoice_is_not_used_by_it():
    assert allocate(used("u", 60), credit(1, 30)).uses == []


def test_our_credit_goes_before_one_made_by_hand():
    assert allocate(by_hand(-100), credit(1, 30), used("u", 40)).uses == [Use("u", 1, -30)]


def test_voided_invoice_gives_back_to_the_last_one_first():
    done = allocate(credit(1, 30), credit(2, 20), used("u", 40), voided("v", 40))
    assert done.uses[2:] == [Use("v", 2, 10), Use("v", 1, 30)]


def test_credit_given_back_can_be_used_again():
    done = allocate(credit(1, 30), used("u", 30), voided("v", 30), used("w", 10, "in_2"))
    assert done.uses[-1] == Use("w", 1, -10)


def test_taken_back_credit_is_not_used():
    taken_back = Movement("r", 30, "adjustment", booked=((1, -30),))
    done = allocate(credit(1, 30), credit(2, 20), taken_back, used("u", 20))
    assert done.uses == [Use("u", 2, -20)]


def test_use_that_may_be_of_a_credit_not_booked_yet_waits_and_all_after_it():
    pending = Movement("p", -50, "adjustment", is_pending=True)
    done = allocate(credit(1, 30), pending, used("u", 20), used("v", 20, "in_2"))
    assert done.uses == [Use("u", 1, -20)]
    assert done.is_waiting


def test_every_use_waits_while_a_reversal_is_on_its_way():
    taken_back = Movement("r", 30, "adjustment", is_pending=True)
    done = allocate(credit(1, 30), credit(2, 20), taken_back, used("u", 20))
    assert (done.uses, done.is_waiting) == ([], True)


def test_debt_that_an_invoice_collects_is_no_use():
    assert allocate(credit(1, 30), Movement("u", -20, APPLIED, "in_1")).uses == []
