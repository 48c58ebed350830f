"""Pages by cursor: no page is counted, skipped or seen twice while rows arrive."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """The newest first, 100 a page unless `page_size` (at most 1,000) says otherwise."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
