import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from compensation.ledger import GENESIS, NewEntry, entry_hash, record_entries
from compensation.models import LedgerEntry
from compensation.verification import _FIELDS, Fault, KeptHash, _hash, verify_chain, verify_ledger
from tests.customers.factories import CustomerFactory

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


@pytest.fixture
def entries():
    customer = CustomerFactory()
    return record_entries(
        [
            NewEntry(
                kind="credit",
                customer_id=customer.pk,
                amount_minor=100 + number,
                currency="EUR",
                note='Störung "Ost"\n',
                booked_at=NOON,
            )
            for number in range(5)
        ]
    )


def tamper(statement, *arguments):
    """As somebody who may do anything to the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers
        cursor.execute(statement.replace("ledger", "compensation_ledgerentry"), arguments)
        cursor.execute("SET LOCAL session_replication_role = origin")


def rehashed(pk):
    row = LedgerEntry.objects.get(pk=pk)
    tamper("UPDATE ledger SET hash = %s WHERE id = %s", entry_hash(row), pk)


def run(*arguments):
    out = StringIO()
    try:
        call_command("verify_ledger", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


@pytest.mark.django_db
def test_verify_ledger_intact(entries):
    found = verify_ledger()
    assert (found.entries, found.last_id, found.last_hash, found.broken) == (
        5,
        entries[-1].pk,
        entries[-1].hash,
        None,
    )


@pytest.mark.django_db
def test_verify_ledger_empty():
    found = verify_ledger(KeptHash(GENESIS))
    assert (found.entries, found.last_hash, found.broken) == (0, GENESIS, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "amount_minor = 1",
        "currency = 'USD'",
        "kind = 'reversal'",
        "note = ''",
        "stripe_id = 'x'",
        "booked_at = booked_at + interval '1 microsecond'",
        "hash = repeat('a', 64)",
    ],
)
def test_changed_entry_is_named(entries, change):
    tamper(f"UPDATE ledger SET {change} WHERE id = %s", entries[2].pk)  # noqa: S608 - ours
    found = verify_ledger()
    assert (found.broken.id, found.broken.fault, found.entries) == (
        entries[2].pk,
        Fault.CHANGED,
        2,
    )


@pytest.mark.django_db
def test_entry_moved_to_another_customer_is_named(entries):
    tamper("UPDATE ledger SET customer_id = %s WHERE id = %s", CustomerFactory().pk, entries[1].pk)
    assert verify_ledger().broken.id == entries[1].pk


@pytest.mark.django_db
@pytest.mark.parametrize("gone", [0, 2])
def test_missing_entry_is_told_at_the_next(entries, gone):
    tamper("DELETE FROM ledger WHERE id = %s", entries[gone].pk)
    broken = verify_ledger().broken
    assert (broken.id, broken.fault) == (entries[gone + 1].pk, Fault.MISSING)
    assert entries[gone].hash in broken.why


@pytest.mark.django_db
def test_entry_written_anew_with_its_hash_is_told_at_the_next(entries):
    tamper("UPDATE ledger SET amount_minor = 1 WHERE id = %s", entries[1].pk)
    rehashed(entries[1].pk)
    broken = verify_ledger().broken
    assert (broken.id, broken.fault) == (entries[2].pk, Fault.MISSING)


@pytest.mark.django_db
def test_entry_out_of_chain_is_named(entries):
    first, second, third = (entry.pk for entry in entries[:3])
    tamper("UPDATE ledger SET id = -1 WHERE id = %s", second)
    tamper("UPDATE ledger SET id = %s WHERE id = %s", second, third)
    tamper("UPDATE ledger SET id = %s WHERE id = -1", third)
    broken = verify_ledger().broken
    assert (broken.id, broken.fault) == (second, Fault.OUT_OF_CHAIN)
    assert first < broken.id


@pytest.mark.django_db
def test_verify_chain_goes_on_after_a_break(entries):
    tamper("UPDATE ledger SET note = '' WHERE id = %s", entries[1].pk)
    tamper("DELETE FROM ledger WHERE id = %s", entries[3].pk)
    assert [(each.id, each.fault) for each in verify_chain()] == [
        (entries[1].pk, Fault.CHANGED),
        (entries[4].pk, Fault.MISSING),
    ]


@pytest.mark.django_db
def test_missing_newest_entries_show_by_a_kept_hash(entries):
    last = entries[-1]
    kept = KeptHash.parse(f"{last.hash}@{last.pk}")
    assert verify_ledger(kept).broken is None
    assert verify_ledger(KeptHash(entries[0].hash)).broken is None  # the ledger has grown since
    tamper("DELETE FROM ledger WHERE id = %s", last.pk)
    assert verify_ledger().broken is None
    broken = verify_ledger(kept).broken
    assert (broken.id, broken.fault) == (last.pk, Fault.MISSING)
    assert verify_ledger(KeptHash(last.hash)).broken.id == 0


@pytest.mark.django_db
def test_kept_hash_of_another_entry_is_no_proof(entries):
    kept = KeptHash(entries[0].hash, entries[1].pk)
    assert verify_ledger(kept).broken.id == entries[1].pk


@pytest.mark.parametrize("text", ["", "abc", "0" * 63, "g" * 64, "0" * 64 + "@", "0" * 64 + "@x"])
def test_kept_hash_refuses_what_it_is_not(text):
    with pytest.raises(ValueError, match="HASH"):
        KeptHash.parse(text)


@given(
    st.builds(
        LedgerEntry,
        kind=st.sampled_from(LedgerEntry.Kind.values),
        customer_id=st.integers(1, 2**63 - 1),
        award_id=st.none() | st.integers(1, 2**63 - 1),
        amount_minor=st.integers(-(2**63), 2**63 - 1),
        currency=st.sampled_from(["", "EUR", "JPY"]),
        stripe_id=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        note=st.text(st.characters(exclude_categories=["Cs"])),
        booked_at=st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.timezones()),  # noqa: DTZ001 - hypothesis wants it naive
        previous_hash=st.just(GENESIS),
    )
)
def test_fast_hash_is_the_documented_one(entry):
    fields = [getattr(entry, name) for name in _FIELDS[2:]]
    assert entry_hash(entry) == _hash(tuple(fields))


@pytest.mark.django_db
def test_command_tells_an_intact_ledger(entries):
    said, code = run()
    assert code == 0
    assert f"entries=5 last_id={entries[-1].pk}" in said
    assert f"last_hash={entries[-1].hash}@{entries[-1].pk}" in said


@pytest.mark.django_db
def test_command_names_the_break_and_fails(entries):
    tamper("UPDATE ledger SET amount_minor = 1 WHERE id = %s", entries[2].pk)
    said, code = run()
    assert code == 1
    assert said.startswith(f"BROKEN at entry {entries[2].pk}, changed: ")
    said, code = run("--json")
    told = json.loads(said)
    assert code == 1
    assert (told["is_intact"], told["entries"]) == (False, 2)
    assert (told["broken"]["id"], told["broken"]["fault"]) == (entries[2].pk, "changed")


@pytest.mark.django_db
def test_command_compares_with_a_kept_hash(entries):
    kept = f"{entries[-1].hash}@{entries[-1].pk}"
    assert json.loads(run("--json", "--expect-hash", kept)[0])["broken"] is None
    assert run("--expect-hash", "a" * 64)[1] == 1
    with pytest.raises(CommandError, match="no HASH"):
        run("--expect-hash", "soon")
