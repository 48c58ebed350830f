"""`make screenshots`: plays the demo and photographs it for the README and the docs.

Needs Chromium (Debian's `chromium`, or any whose path CHROMIUM names).
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
ADDRESSES = ROOT / ".local" / "demo" / "addresses.json"
WIDE = ViewportSize(width=1440, height=1000)
NARROW = ViewportSize(width=390, height=844)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The path of a Chromium; raises SystemExit, saying what to install, where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise SystemExit("No Chromium found: install it, or name its path in CHROMIUM.")
    return path


def play_demo() -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """The demo, serving, and its addresses."""
    ADDRESSES.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--json"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    while not ADDRESSES.exists():
        if process.poll() is not None:
            raise SystemExit("The demo ended early.")
        time.sleep(0.5)
    return process, json.loads(ADDRESSES.read_text(encoding="utf-8"))


def signed_in(browser: Browser, addresses: dict[str, Any], role: str) -> Page:
    """A wide page, signed in as that role."""
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{addresses['web']}/accounts/login/?next=/admin/")
    page.fill("input[name=login]", addresses["staff"][role])
    page.fill("input[name=password]", addresses["password"])
    page.click("button[type=submit] >> nth=0")
    page.wait_for_url("**/admin/")
    return page


def photograph(browser: Browser, addresses: dict[str, Any]) -> None:
    """Every picture the README shows."""
    people = {
        "incident": "incident manager",
        "batch": "approver",
        "queue": "support lead",
        "ticket": "agent",
        "mass_reply": "support lead",
        "reports": "support lead",
    }
    for name, path in addresses["pages"].items():
        page = signed_in(browser, addresses, people.get(name, "finance"))
        page.goto(addresses["web"] + path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=IMAGES / f"{name}.png")
        page.close()
    account = browser.new_page(viewport=NARROW)
    account.goto(addresses["portal"])
    account.wait_for_url("**/account/")
    account.wait_for_load_state("networkidle")
    account.screenshot(path=IMAGES / "account.png")


def main() -> None:
    path = chromium()
    IMAGES.mkdir(parents=True, exist_ok=True)
    process, addresses = play_demo()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=QUIET)
            photograph(browser, addresses)
            browser.close()
    finally:
        # not SIGINT, which what a shell started in the background never hears
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
