"""Words to search by, in the languages we speak."""

from django.contrib.postgres.search import SearchVector
from django.db.models import Case, When

from backoffice.customers.models.customer import Language

# PostgreSQL's dictionaries for them.
DICTIONARIES = {
    Language.ENGLISH: "english",
    Language.GERMAN: "german",
    Language.RUSSIAN: "russian",
}


def words_of(field: str) -> Case:
    """The search vector of `field` under the dictionary of the row's own `language`."""
    return Case(
        *(
            When(language=language, then=SearchVector(field, config=dictionary))
            for language, dictionary in DICTIONARIES.items()
            if language != Language.ENGLISH
        ),
        default=SearchVector(field, config=DICTIONARIES[Language.ENGLISH]),
    )
