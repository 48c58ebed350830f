"""The words of a sum, by language."""

from compensation.explanations.words import english, german, russian

WORDS = {"en": english.WORDS, "de": german.WORDS, "ru": russian.WORDS}

# The reason itself is as the giver wrote it for this customer.
GOODWILL: dict[str, dict[str, str]] = {
    "en": {"ticket": "Goodwill, ticket {origin}: {reason}", "plain": "Goodwill: {reason}"},
    "de": {"ticket": "Kulanz, Ticket {origin}: {reason}", "plain": "Kulanz: {reason}"},
    "ru": {
        "ticket": "В знак доброй воли, обращение {origin}: {reason}",
        "plain": "В знак доброй воли: {reason}",
    },
}


def known(language: str) -> str:
    """`language` if we speak it here, else English."""
    return language if language in WORDS else "en"
