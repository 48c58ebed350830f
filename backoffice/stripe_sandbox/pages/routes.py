"""The addresses of the pages."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from backoffice.stripe_sandbox.errors import StripeError
from backoffice.stripe_sandbox.pages import customer, overview
from backoffice.stripe_sandbox.pages.frame import CSS, page
from backoffice.stripe_sandbox.world import World


def routes(world: World) -> list[Route]:
    """Overview, one page a customer, and the style sheet."""

    async def show_overview(request: Request) -> Response:
        number = request.query_params.get("page", "1")
        asked = int(number) if number.isascii() and number.isdigit() else 1
        words = request.query_params.get("q", "").strip()
        return HTMLResponse(overview.render(world, words, max(asked, 1)))

    async def show_customer(request: Request) -> Response:
        identifier = request.path_params["identifier"]
        try:
            return HTMLResponse(customer.render(world, identifier))
        except StripeError as error:
            body = page("Not found", "<h1>Not found</h1><p>There is no such customer here.</p>")
            return HTMLResponse(body, status_code=error.status)

    async def show_css(request: Request) -> Response:
        return Response(CSS, media_type="text/css")

    return [
        Route("/", show_overview),
        Route("/customers/{identifier}", show_customer),
        Route("/sandbox.css", show_css),
    ]
