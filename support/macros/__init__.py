"""Macros: ready-made answers that never promise what is not approved, with what they do."""

from support.macros.applying import apply_macro, offered_macros
from support.macros.rendering import Rendered, render_macro, render_text
from support.macros.texts import check_texts
from support.macros.variables import VARIABLES

__all__ = [
    "VARIABLES",
    "Rendered",
    "apply_macro",
    "check_texts",
    "offered_macros",
    "render_macro",
    "render_text",
]
