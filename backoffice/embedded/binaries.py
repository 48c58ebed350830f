"""Making the wheels' binaries usable for the account that the servers run as."""

import shutil
import stat
from pathlib import Path

from backoffice.embedded.places import Place


def lend(directory: Path, place: Place) -> Path:
    """`directory` itself, or a copy of its programs when root's lesser account cannot reach it.

    A virtual environment in root's home, or one made under a strict umask, is closed to others.
    """
    is_open = all(
        path.stat().st_mode & stat.S_IROTH and path.stat().st_mode & stat.S_IXOTH
        for path in (directory, *(directory / "bin").iterdir())
    )
    if not place.account.is_lent or (is_open and place.account.reaches(directory)):
        return directory
    copy = place.state / "binaries" / f"{directory.name}-{directory.stat().st_mtime_ns}"
    if not copy.exists():
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir(mode=0o755)
        copy.parent.chmod(0o755)
        part = copy.with_suffix(".part")
        shutil.copytree(directory, part, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        part.rename(copy)
    return copy
