"""Print what to install on machines without uv: `wanted` from pyproject.toml, `fixed` from uv.lock.

`wanted` are requirements, `fixed` constraints; together pip installs what uv would.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def wanted() -> Iterator[str]:
    """The project's dependencies and those of its developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    yield from project["project"]["dependencies"]
    yield from project["dependency-groups"]["dev"]


def fixed() -> Iterator[str]:
    """Every locked version; where it differs by Python version, with the condition."""
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        if "registry" in package["source"]:
            markers = package.get("resolution-markers", [])
            condition = " ; " + " or ".join(f"({marker})" for marker in markers) if markers else ""
            yield f"{package['name']}=={package['version']}{condition}"


if __name__ == "__main__":
    lines = {"wanted": wanted, "fixed": fixed}[sys.argv[1]]()
    sys.stdout.write("\n".join(lines) + "\n")
