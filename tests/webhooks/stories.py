"""A shop at the sandbox: customers whom we know, credits that we issued, invoices."""

from typing import Any

from django.utils import timezone

from compensation.ledger import NewEntry, record_entries
from tests.compensation.factories import AwardFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.webhooks.posting import post


class Shop:
    """Steers the sandbox, and delivers its events to our door as we like."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.client = sandbox.client()
        self._delivered = 0

    def customer(self, **fields: Any) -> Any:
        """One whom both sides know."""
        made = self.client.v1.customers.create({"name": "Ada"})
        return CustomerFactory(name="Ada", stripe_customer_id=made.id, **fields)

    def subscribe(self, customer: str, amount: int) -> Any:
        product = self.client.v1.products.create({"name": "Pro"})
        price = {
            "currency": "eur", "unit_amount": amount, "product": product.id,
            "recurring": {"interval": "month"},
        }  # fmt: skip
        return self.client.v1.subscriptions.create(
            {"customer": customer, "items": [{"price_data": price}]}
        )

    def credit(self, customer: Any, amount_minor: int, *, is_booked: bool = True) -> Any:
        """Issued: at Stripe, and in our ledger unless told."""
        award: Any = AwardFactory(
            subscription=SubscriptionFactory(customer=customer),
            amount_minor=amount_minor,
            state="issued" if is_booked else "unknown",
            issued_at=timezone.now() if is_booked else None,
        )
        award.stripe_id = self.by_hand(customer, -amount_minor, award=str(award.pk))
        if is_booked:
            self.book(award)
        return award

    def book(self, award: Any) -> None:
        record_entries(
            [
                NewEntry(
                    kind="credit",
                    customer_id=award.customer_id,
                    award_id=award.pk,
                    amount_minor=award.amount_minor,
                    currency=award.currency,
                    stripe_id=award.stripe_id,
                    booked_at=timezone.now(),
                )
            ]
        )

    def by_hand(self, customer: Any, amount: int, **metadata: str) -> str:
        """A balance transaction, as somebody makes it in Stripe's dashboard."""
        params = {"amount": amount, "currency": "eur", "metadata": metadata}
        made = self.client.v1.customers.balance_transactions.create(
            customer.stripe_customer_id, params
        )
        return str(made.id)

    def bill(self, customer: Any, amount: int, *, is_paid: bool = True) -> Any:
        made = self.sandbox.bill(
            customer=customer.stripe_customer_id, amount=amount, currency="eur",
            **({} if is_paid else {"paid": "false"}),
        )  # fmt: skip
        return made[0]

    def events(self) -> list[dict[str, Any]]:
        """All that happened, the oldest first, as it would be posted."""
        page = self.client.v1.events.list({"limit": 100})
        return [each.to_dict() for each in page.auto_paging_iter()][::-1]

    def deliver(self, client: Any) -> None:
        """Post what was not posted yet, in order."""
        events = self.events()
        for event in events[self._delivered :]:
            assert post(client, event).status_code == 200
        self._delivered = len(events)
