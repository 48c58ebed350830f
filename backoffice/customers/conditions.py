"""Conditions as people write them: plan = "Business" and customer.country = "DE".

The language is DjangoQL's, limited to the fields of a schema: `condition_fields.ConditionSchema`
for subscriptions; other apps bring their own for what they keep.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from djangoql.ast import Expression, Logical
from djangoql.exceptions import DjangoQLError
from djangoql.queryset import build_filter

from backoffice.customers.condition_fields import (
    EXACT,
    ConditionSchema,
    TextField,
    value_field,
)
from backoffice.customers.condition_syntax import (
    ConditionError,
    check_shape,
    tokens_of,
    tree_of,
)
from backoffice.customers.models import Subscription

__all__ = ["ConditionError", "parse_condition", "prefix_condition"]

LONGEST = 2000  # characters


def parse_condition(
    text: str, *, check_values: bool = True, schema: ConditionSchema | None = None
) -> Q:
    """The filter that `text` means over the schema's model; an empty text fits everything.

    Without a `schema` that is Subscription. Times are UTC, money is in minor units. With
    `check_values`, a plan, country, segment, region, currency, status or component that is known to
    no row is an error; leave it out where a stored condition is evaluated, whose last “pro”
    customer may have left since it was written.

    Raises:
        ConditionError: with its place and a remedy.
    """
    schema = schema or ConditionSchema(Subscription)
    if not text.strip():
        return Q()
    if len(text) > LONGEST:
        raise ConditionError(
            f"This condition has {len(text):,} characters; at most {LONGEST:,} are possible.",
            text=text,
            position=LONGEST,
            remedy=schema.when_too_long,
        )
    tokens = tokens_of(text, example=schema.example)
    check_shape(text, tokens)
    tree = tree_of(text, example=schema.example)
    comparisons = list(_comparisons(tree))
    for comparison, (name, values) in zip(comparisons, _places(tokens), strict=True):
        _check_comparison(schema, comparison, text, name, values, check_values=check_values)
    found: Q = build_filter(tree, schema)
    return found


def prefix_condition(condition: Q, prefix: str) -> Q:
    """`condition` on a related path: with `prefix` "subscription__", over rows that have one.

    Where the relation is empty, a negated comparison (`plan != "pro"`) is true, as it is in SQL's
    NOT EXISTS: filter such rows out first if they must not fit.
    """
    lifted = Q()
    lifted.connector = condition.connector
    lifted.negated = condition.negated
    lifted.children = [
        prefix_condition(child, prefix) if isinstance(child, Q) else (prefix + child[0], child[1])  # type: ignore[index]
        for child in condition.children
    ]
    return lifted


def _comparisons(node: Expression) -> Iterator[Expression]:
    """From left to right, as they stand in the text."""
    if isinstance(node.operator, Logical):
        yield from _comparisons(node.left)
        yield from _comparisons(node.right)
    else:
        yield node


def _places(tokens: list[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """The tokens of each comparison's name and of its values, in the same order."""
    starts = [at for at, token in enumerate(tokens) if token.type == "NAME"]
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        values = [
            token
            for token in tokens[start + 1 : end]
            if token.type.endswith("_VALUE") or token.type in {"NONE", "TRUE", "FALSE"}
        ]
        yield tokens[start], values


def _check_comparison(  # noqa: PLR0913
    schema: ConditionSchema,
    node: Expression,
    text: str,
    name: Any,
    tokens: list[Any],
    *,
    check_values: bool,
) -> None:
    field = _field(schema, node, text, name.lexpos)
    operator = node.operator.operator
    if operator not in field.operators:
        raise ConditionError(
            f"“{operator}” does not compare {field.what}.",
            text=text, position=name.lexpos, remedy=field.operators_remedy,
        )  # fmt: skip
    values = node.right.value if isinstance(node.right.value, list) else [node.right.value]
    for value, token in zip(values, tokens, strict=True):
        _check_value(field, value, text, token.lexpos)
        is_checked = check_values and isinstance(field, TextField) and field.is_checked
        if is_checked and operator in EXACT and not field.is_known(value):
            raise _unknown(schema, field, node.left.value, value, text=text, position=token.lexpos)


def _remedy(schema: ConditionSchema, names: dict[str, Any], part: str) -> str:
    """What else to write for a field that is not among `names`: a relation's, or a near one."""
    for name, field in names.items():
        if field.type == "relation" and part in schema.models[field.relation]:
            return f"Did you mean “{name}.{part}”?"
    near = difflib.get_close_matches(part, names, n=1)
    if near:
        return f"Did you mean “{near[0]}”?"
    return f"Use one of {', '.join(names)}."


def _field(schema: ConditionSchema, node: Expression, text: str, position: int) -> Any:
    model = schema.model_label(schema.current_model)
    names = schema.models[model]
    field = None
    for part in node.left.parts:
        if part not in names:
            raise ConditionError(
                f"There is no field “{part}” here.",
                text=text,
                position=position,
                remedy=_remedy(schema, names, part),
            )
        field = names[part]
        names = schema.models[field.relation] if field.type == "relation" else {}
    field = value_field(field)
    if field is None or field.type == "relation":
        raise ConditionError(
            f"“{node.left.value}” is no value to compare.",
            text=text,
            position=position,
            remedy=f"Name one of its fields, such as {node.left.value}.{next(iter(names))}.",
        )
    return field


def _check_value(field: Any, value: Any, text: str, position: int) -> None:
    try:
        field.validate(value)
    except DjangoQLError as error:
        raise ConditionError(f"{error}.", text=text, position=position) from None
    if isinstance(value, str) and not _is_storable(value):
        raise ConditionError(
            "This text has characters that no row can hold.",
            text=text, position=position, remedy="Take the control characters out.",
        )  # fmt: skip


def _is_storable(value: str) -> bool:
    """PostgreSQL's text knows neither NUL nor half a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _unknown(  # noqa: PLR0913
    schema: ConditionSchema, field: TextField, name: str, value: str, *, text: str, position: int
) -> ConditionError:
    known = list(field.known_values())
    folded = {one.casefold(): one for one in reversed(known)}
    near = difflib.get_close_matches(value.casefold(), folded, n=1, cutoff=0.5)
    if near:
        remedy = f"Did you mean “{folded[near[0]]}”?"
    elif known:
        remedy = f"Known are: {', '.join(known[:10])}{' …' if len(known) > 10 else ''}."  # noqa: PLR2004
    else:
        remedy = schema.when_nothing_known
    kind = field.kind or name.rpartition(".")[2]
    missing = field.missing or f"it is known to no {field.model._meta.verbose_name}"
    return ConditionError(
        f"{kind} “{value}”: {missing}.", text=text, position=position, remedy=remedy
    )
