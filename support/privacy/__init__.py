"""What is kept about a person: shown to them, or erased. Money's records stay (docs/privacy.md)."""

from support.privacy.erasing import ask_erasure, erase_person, finish_erasures, resume_erasure
from support.privacy.exporting import export_person
from support.privacy.figures import figures_of
from support.privacy.person import Person, person_of

__all__ = [
    "Person",
    "ask_erasure",
    "erase_person",
    "export_person",
    "figures_of",
    "finish_erasures",
    "person_of",
    "resume_erasure",
]
