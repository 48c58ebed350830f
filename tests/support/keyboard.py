"""A person without a mouse."""


def tab_to(page, name, *, most=150):
    """Press Tab until what is focused says `name`."""
    for _turn in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "(e => (e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || '')"
            ".trim())(document.activeElement)"
        )
        if said.startswith(name):
            return
    raise AssertionError(f"No way by Tab to “{name}”.")


def press(page, name):
    tab_to(page, name)
    page.keyboard.press("Enter")
