"""Finds the texts to translate in templates and Python modules, without gettext's programs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"(?:\b_|gettext)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)")


def in_template(path: Path) -> Iterator[str]:
    """Every msgid of a template; of plural forms both."""
    for call in CALL.findall(templatize(path.read_text(encoding="utf-8"))):
        found = ast.literal_eval(f"({call},)")
        yield from found


def in_module(path: Path) -> Iterator[str]:
    """Every msgid of a Python module; of plural forms both."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(getattr(node, "func", None), "id", "")
        if name == "_" or name.startswith(("gettext", "ngettext")):
            yield from (
                arg.value
                for arg in node.args  # type: ignore[attr-defined]
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            )
