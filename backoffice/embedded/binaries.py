"""Finding the wheels' binaries, and making them usable for the account that the servers run as."""

import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from backoffice.embedded.places import Place, StartError


def find_package(name: str) -> Path:
    """The directory of an installed package, without running its code; raises StartError."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise StartError(f"The package `{name}` is not installed.")
    return Path(spec.origin).resolve().parent


def lend(package: Path, programs: str, place: Place) -> Path:
    """`bin` in the part `programs` of `package`, or in a copy that root's lesser account reaches.

    A virtual environment in root's home, or one made under a strict umask, is closed to others.
    """
    if not place.account.is_lent or _is_open(package / programs, place):
        return package / programs / "bin"
    copy = place.state / "binaries" / f"{package.name}-{package.stat().st_mtime_ns}"
    if not copy.exists():
        _copy(package, programs, copy)
    return copy / package.name / programs / "bin"


def _is_open(directory: Path, place: Place) -> bool:
    return place.account.reaches(directory) and all(
        path.stat().st_mode & stat.S_IROTH and path.stat().st_mode & stat.S_IXOTH
        for path in (directory / "bin").iterdir()
    )


def _copy(package: Path, programs: str, copy: Path) -> None:
    """Copy as it lies: the programs look for the wheel's shared libraries beside the package."""
    copy.parent.mkdir(exist_ok=True)
    copy.parent.chmod(0o755)
    for old in copy.parent.glob(f"{package.name}-*"):
        shutil.rmtree(old)
    part = copy.with_suffix(".part")
    for directory in (package / programs, package.with_name(f"{package.name}.libs")):
        if directory.exists():
            target = part / directory.relative_to(package.parent)
            shutil.copytree(
                directory, target, symlinks=True, ignore=shutil.ignore_patterns("include")
            )
    for path in (part, *part.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    part.rename(copy)
