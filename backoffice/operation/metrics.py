"""What Prometheus reads (https://prometheus.io/docs/concepts/data_model/), asked at each scrape.

Counts that would read a whole table are PostgreSQL's estimates and say so in their names.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backoffice.operation import figures

_ESTIMATED = "Roughly, from PostgreSQL's statistics."
_AGES = {
    "amends_oldest_unsent_award_seconds": (
        "How long an award has waited although it could be sent.",
        figures.oldest_unsent,
    ),
    "amends_oldest_ticket_event_seconds": (
        "How long something that happened to a ticket has waited.",
        figures.oldest_ticket_event,
    ),
    "amends_webhook_lag_seconds": (
        "How long an event of Stripe's that is due has waited.",
        figures.oldest_webhook,
    ),
    "amends_mail_out_lag_seconds": (
        "How long an answer that is due has waited.",
        figures.oldest_mail_out,
    ),
    "amends_mail_in_lag_seconds": (
        "How long something received has waited.",
        figures.oldest_mail_in,
    ),
}


class Figures(Collector):
    """Reads the database whenever it is asked."""

    def collect(self) -> Iterable[Metric]:
        yield from self._money()
        yield from self._desk()
        for name, (text, age) in _AGES.items():
            yield GaugeMetricFamily(name, text, value=age())
        at = figures.last_heartbeat()
        yield GaugeMetricFamily(
            "amends_worker_heartbeat_timestamp_seconds",
            "When a worker last did what beat sent, in Unix time; 0: never.",
            value=at.timestamp() if at else 0,
        )

    def _money(self) -> Iterator[Metric]:
        yield _gauges("amends_awards", "Awards that wait for somebody or something.", "state",
                      figures.awards_by_state())  # fmt: skip
        yield _gauges("amends_awards_estimated", f"Awards. {_ESTIMATED}", "state",
                      figures.estimates("compensation_award", "state"))  # fmt: skip
        yield _gauges("amends_batches", "Batches.", "state", figures.batches_by_state())
        yield GaugeMetricFamily(
            "amends_issuing_stopped",
            "1 while the switch stops all issuing.",
            value=int(figures.is_stopped()),
        )
        calls = CounterMetricFamily(
            "amends_stripe_calls", "Calls of issuing to Stripe, by outcome.", labels=["outcome"]
        )
        for outcome, count in figures.calls_by_outcome().items():
            calls.add_metric([outcome], count)
        yield calls

    def _desk(self) -> Iterator[Metric]:
        yield _gauges("amends_tickets", "Tickets that are not solved.", "status",
                      figures.tickets_by_status())  # fmt: skip
        yield _gauges("amends_tickets_estimated", f"Tickets. {_ESTIMATED}", "status",
                      figures.estimates("support_ticket", "status"))  # fmt: skip
        yield GaugeMetricFamily(
            "amends_webhooks_parked",
            "Events of Stripe's that wait for a person.",
            value=figures.parked_webhooks(),
        )


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in sorted(values.items()):
        family.add_metric([value], count)
    return family


def exposition() -> bytes:
    """All of it, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return generate_latest(registry)
