"""DATEV's posting batch (Buchungsstapel), format version 13 under header version 700.

The rules are those of https://developer.datev.de/datev/platform/de/dtvf (formate/header,
formate/buchungsstapel, zeichensatz), read on 2026-11-21. A value keeps its column's type: numbers
bare, texts in quotation marks even when empty.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from django.conf import settings
from django.utils import timezone

from backoffice.money import minor_digits, to_major
from compensation.books.month import Month, zone
from compensation.books.postings import Posting

# Postings that one batch may hold.
MOST = 99_999
# Umsatz has two decimals, no more.
DIGITS = 2
END = "\r\n"


class ExportError(ValueError):
    """The month cannot be written so; the text says what to do."""


def _numbered(*names: str, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(1, count + 1) for name in names]


COLUMNS = [
    "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz",
    "WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum",
    "Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext", "Postensperre",
    "Diverse Adressnummer", "Geschäftspartnerbank", "Sachverhalt", "Zinssperre", "Beleglink",
    *_numbered("Beleginfo - Art", "Beleginfo - Inhalt", count=8),
    "KOST1 - Kostenstelle", "KOST2 - Kostenstelle", "Kost-Menge",
    "EU-Land u. UStID (Bestimmung)", "EU-Steuersatz (Bestimmung)", "Abw. Versteuerungsart",
    "Sachverhalt L+L", "Funktionsergänzung L+L", "BU 49 Hauptfunktionstyp",
    "BU 49 Hauptfunktionsnummer", "BU 49 Funktionsergänzung",
    *_numbered("Zusatzinformation - Art", "Zusatzinformation- Inhalt", count=20),
    "Stück", "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr",
    "Zugeordnete Fälligkeit", "Skontotyp", "Auftragsnummer", "Buchungstyp",
    "USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)", "Sachverhalt L+L (Anzahlungen)",
    "EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz", "Buchungs GUID",
    "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre", "Gesellschaftername",
    "Beteiligtennummer", "Identifikationsnummer", "Zeichnernummer", "Postensperre bis",
    "Bezeichnung SoBil-Sachverhalt", "Kennzeichen SoBil-Buchung", "Festschreibung",
    "Leistungsdatum", "Datum Zuord. Steuerperiode", "Fälligkeit", "Generalumkehr (GU)",
    "Steuersatz", "Land", "Abrechnungsreferenz", "BVV-Position",
    "EU-Land u. UStID (Ursprung)", "EU-Steuersatz (Ursprung)", "Abw. Skontokonto",
]  # fmt: skip
# By number from 1: the columns that are texts, so that an empty one is "".
_TEXTS = {
    2, 3, 6, 9, 11, 12, 14, 16, *range(19, 39), 40, 42, 44, *range(48, 88), 91, 95, 96, 98, 102,
    103, 105, 107, 109, 110, 112, 118, 120, 121, 123,
}  # fmt: skip


def check(currency: str) -> None:
    """Raise ExportError where the settings or the currency allow no batch."""
    if not (settings.BOOKS_DATEV_CONSULTANT and settings.BOOKS_DATEV_CLIENT):
        raise ExportError(
            "DATEV wants to know whose books these are: set BOOKS_DATEV_CONSULTANT and "
            "BOOKS_DATEV_CLIENT."
        )
    if minor_digits(currency) > DIGITS:
        raise ExportError(f"DATEV has two decimals, and {currency} has more: use another layout.")
    length = settings.BOOKS_DATEV_ACCOUNT_LENGTH
    for purpose, account in settings.BOOKS_ACCOUNTS.items():
        if not (account.isdecimal() and len(account) <= length + 1):
            raise ExportError(
                f"“{account}”, the account for {purpose}, is none of {length} digits: see "
                "BOOKS_ACCOUNTS and BOOKS_DATEV_ACCOUNT_LENGTH."
            )


def lines(found: Iterable[Posting], month: Month, currency: str) -> Iterator[str]:
    """Header, captions, and a line a posting."""
    yield _header(month, currency)
    yield ";".join(COLUMNS) + END
    for posting in found:
        yield _line(posting)


def _header(month: Month, currency: str) -> str:
    made = timezone.now().astimezone(zone()).strftime("%Y%m%d%H%M%S%f")[:17]
    fields = [
        _text("EXTF"), "700", "21", _text("Buchungsstapel"), "13", made, "", _text("RE"),
        _text(""), _text(""), settings.BOOKS_DATEV_CONSULTANT, settings.BOOKS_DATEV_CLIENT,
        _fiscal_year(month), settings.BOOKS_DATEV_ACCOUNT_LENGTH, f"{month.first_day:%Y%m%d}",
        f"{month.last_day:%Y%m%d}", _text(f"Amends {month} {currency}", 30), _text(""), "1", "0",
        # 0: the batch can still be changed after the import; the accountant fixes it.
        "0", _text(currency), "", _text(""), "", "", _text(""), "", "", _text(""), _text(""),
    ]  # fmt: skip
    return ";".join(str(field) for field in fields) + END


def _fiscal_year(month: Month) -> str:
    """The first day of the fiscal year that the month is in."""
    begins = settings.BOOKS_FISCAL_YEAR_BEGINS
    year = month.year if month.month >= begins else month.year - 1
    return f"{date(year, begins, 1):%Y%m%d}"


def _line(posting: Posting) -> str:
    """The debit account is Konto, so the mark is always S (Soll)."""
    filled = {
        1: f"{to_major(posting.amount_minor, posting.currency):.2f}".replace(".", ","),
        2: "S",
        3: posting.currency,
        7: posting.debit,
        8: posting.credit,
        10: f"{posting.day:%d%m}",
        11: re.sub(r"[^A-Za-z0-9$&%*+/-]", "", posting.voucher)[:36],
        14: _words(posting.text, 60),
        21: "Kunde",
        22: _words(posting.customer, 210),
        **_more(posting),
        114: "0",
    }
    return (
        ";".join(
            _text(filled.get(number, "")) if number in _TEXTS else filled.get(number, "")
            for number in range(1, len(COLUMNS) + 1)
        )
        + END
    )


def _more(posting: Posting) -> dict[int, str]:
    """Pairs of kind and content that the accountant sees beside the posting."""
    pairs = [("Störung", posting.incident), ("Stripe", posting.stripe_id)]
    told = [(kind, _words(content, 210)) for kind, content in pairs if content]
    return {23 + 2 * place + side: pair[side] for place, pair in enumerate(told) for side in (0, 1)}


def _words(text: str, most: int) -> str:
    """Without control characters, in what the character set has."""
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", text)
    return plain.encode("cp1252", "replace").decode("cp1252")[:most]


def _text(text: str, most: int = 255) -> str:
    return '"' + text[:most].replace('"', '""') + '"'
