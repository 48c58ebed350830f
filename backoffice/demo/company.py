"""A made company's customers, drawn by a seed, as the CSV file such a company would have."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

COMPONENTS = ("Fibre access", "DSL access", "Voice", "Television", "Mail")


@dataclass(frozen=True)
class Market:
    """Where customers live, what they pay in and which region serves them."""

    country: str
    currency: str
    language: str
    region: str
    share: int
    people: tuple[str, ...]
    companies: tuple[str, ...]


MARKETS = (
    Market(
        "DE", "EUR", "de", "eu-central", 45,
        ("Anna Weber", "Jürgen Groß", "Käthe Müller", "Lukas Schäfer", "Mehmet Yılmaz"),
        ("Bäckerei Öztürk GmbH", "Norddeutsche Verpackungswerke AG", "Kanzlei Roth & Söhne"),
    ),
    Market(
        "AT", "EUR", "de", "eu-central", 15,
        ("Elisabeth Huber", "Franz Steiner", "Maria Wallner"),
        ("Tiroler Bergbahnen GmbH", "Wiener Kaffeerösterei OG"),
    ),
    Market(
        "GB", "GBP", "en", "eu-west", 20,
        ("Oliver Hughes", "Priya Shah", "Siobhán Kelly"),
        ("Harbour Street Dental Ltd", "Pennine Logistics plc"),
    ),
    Market(
        "US", "USD", "en", "us-east", 20,
        ("Emily Carter", "José Ramírez", "Wei Chen"),
        ("Acme Robotics Inc.", "Lakeside Clinics LLC"),
    ),
)  # fmt: skip

# Monthly fees in major units; a yearly plan costs ten of them.
FEES = {"Consumer": ("19.99", "29.95", "39.90"), "Business": ("79.00", "129.50", "499.00")}


def write_company(path: Path, *, customers: int, seed: int, as_of: datetime) -> None:
    """Write a CSV of `customers` customers with one subscription each, none younger than `as_of`.

    The same seed draws the same company, but for the dates, which count back from `as_of` (UTC).
    """
    rows = list(_draw(random.Random(seed), customers, as_of))  # noqa: S311
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _draw(draw: random.Random, customers: int, as_of: datetime) -> Iterator[dict[str, str]]:
    weights = [market.share for market in MARKETS]
    for number in range(1, customers + 1):
        market = draw.choices(MARKETS, weights)[0]
        plan = draw.choices(("Consumer", "Business"), (3, 1))[0]
        name = draw.choice(market.people if plan == "Consumer" else market.companies)
        status = draw.choices(("active", "trialing", "canceled"), (85, 9, 6))[0]
        is_yearly = status == "active" and draw.random() < 0.15  # noqa: PLR2004
        fee = Decimal(draw.choice(FEES[plan])) * (10 if is_yearly else 1)
        days_with_us = draw.randint(3, 12) if status == "trialing" else draw.randint(30, 2500)
        trial_end = as_of + timedelta(days=draw.randint(4, 20))
        access = draw.choices(("Fibre access", "DSL access"), (65, 35))[0]
        extras = {"Voice": 0.5, "Television": 0.3, "Mail": 0.8}
        used = {access} | {extra for extra, share in extras.items() if draw.random() < share}
        yield {
            "customer": f"C{number:05}",
            "name": name,
            "email": f"c{number:05}@example.com",
            "language": market.language,
            "country": market.country,
            "segment": plan.lower(),
            "region": market.region,
            "plan": plan,
            "fee": str(fee),
            "currency": market.currency,
            "interval": "year" if is_yearly else "month",
            "status": status,
            "started": (as_of - timedelta(days=days_with_us)).date().isoformat(),
            "ended": (as_of - timedelta(days=1)).date().isoformat() if status == "canceled" else "",
            "trial_end": trial_end.date().isoformat() if status == "trialing" else "",
            **{component: "Yes" if component in used else "No" for component in COMPONENTS},
        }
