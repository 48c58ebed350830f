"""Every door of the project: each URL the resolver knows, with the methods an API view takes."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

# `format_suffix_patterns` doubles each API address for .json; one row covers both.
FORMAT_SUFFIX = "format>"


def every_door() -> set[str]:
    """The names of all URLs, namespaces included; a URL without a name by its route.

    An API view stands once for each action: "batch-list POST".
    """
    return set(_walk(get_resolver().url_patterns, namespaces=(), route=""))


def _walk(patterns, namespaces: tuple[str, ...], route: str) -> Iterator[str]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _walk(pattern.url_patterns, inner, here)
        elif isinstance(pattern, URLPattern) and FORMAT_SUFFIX not in here:
            name = ":".join((*namespaces, pattern.name)) if pattern.name else f"/{here}"
            actions = getattr(pattern.callback, "actions", None)
            methods = [f" {method.upper()}" for method in actions or [] if method != "head"]
            yield from (name + method for method in methods or [""])
