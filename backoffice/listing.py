"""Change lists of tables that hold millions of rows: nothing is counted that nobody needs."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.contrib.filters.admin import TextFilter
from unfold.views import ChangeList

# Beyond this many found rows a person narrows the search instead of turning pages.
COUNTED = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most COUNTED rows, so that a page costs the same whatever the table holds."""

    template_name = "admin/bounded_pagination.html"

    @cached_property
    def bounded_count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: COUNTED + 1].count())

    @property
    def count(self) -> int:
        return min(self.bounded_count, COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than `count` says."""
        return self.bounded_count > COUNTED


class BoundedChangeList(ChangeList):  # type: ignore[misc]
    """Leaves out the header's "n results": the foot of the list says it, and from where on not."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class TypedFilter(TextFilter):  # type: ignore[misc]
    """A filter by what a person types, without the zero bytes that the database refuses."""

    def value(self) -> str | None:
        typed: str | None = super().value()
        return typed.replace("\0", "") if typed else typed


class BigList:
    """A ModelAdmin mixin: newest first, 50 a page, one bounded count, no count of the whole."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    sortable_by: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ("-id",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        return BoundedChangeList


class ReadOnly:
    """A ModelAdmin mixin: to look at. What may be done to these rows is a verb's business."""

    actions = None
    show_add_link = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
