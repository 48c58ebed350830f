"""The sum behind an award, in words its customer can follow."""

from backoffice.money import format_money
from compensation.models import Award

_WORDS = {
    "en": "You were without service for {minutes} minutes. For that you get {benefit}.",
    "de": "Unser Dienst war für Sie {minutes} Minuten ausgefallen. Dafür erhalten Sie {benefit}.",
}
_DAYS = {"en": "{days} days", "de": "{days} Tage"}


def explain(award: Award, language: str = "en") -> str:
    """Why `award` is what it is, in `language` ("en" or "de"; others read English)."""
    language = language if language in _WORDS else "en"
    benefit = (
        format_money(award.amount_minor, award.currency, language)
        if award.benefit == Award.Benefit.CREDIT
        else _DAYS[language].format(days=award.days)
    )
    minutes = (award.major_seconds + award.partial_seconds) // 60
    return _WORDS[language].format(minutes=minutes, benefit=benefit)
