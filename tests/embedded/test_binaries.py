import os
from pathlib import Path

import pytest

from backoffice.embedded.binaries import find_package, lend
from backoffice.embedded.places import Account, Place, StartError

NOBODY = Account(65534, 65534, is_lent=True)
CALLER = Account(os.geteuid(), os.getegid(), is_lent=False)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An installed package with a program and the shared library it needs, closed to others."""
    site = tmp_path / "site-packages"
    program = site / "server" / "install18" / "bin" / "program"
    library = site / "server.libs" / "library.so"
    for path in (program, library):
        path.parent.mkdir(parents=True)
        path.write_text(path.name)
        path.chmod(0o700)
    return site / "server"


def place(tmp_path: Path, account: Account) -> Place:
    state = tmp_path / "state"
    state.mkdir()
    return Place(state, state, account)


def test_the_callers_own_account_uses_the_programs_where_they_are(tmp_path, package):
    assert lend(package, "install18", place(tmp_path, CALLER)) == package / "install18" / "bin"


def test_a_lent_account_gets_a_copy_of_programs_that_it_cannot_reach(tmp_path, package):
    binaries = lend(package, "install18", place(tmp_path, NOBODY))

    assert binaries.is_relative_to(tmp_path / "state")
    assert (binaries / "program").stat().st_mode & 0o777 == 0o755
    assert (binaries / "../../../server.libs/library.so").read_text() == "library.so"


def test_the_copy_is_made_once_and_again_after_an_update(tmp_path, package):
    there = place(tmp_path, NOBODY)
    first = lend(package, "install18", there)
    again = lend(package, "install18", there)
    os.utime(package, ns=(1, 1))
    updated = lend(package, "install18", there)

    assert first == again
    assert updated != first
    assert not first.exists()


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(StartError, match="`no_such_package` is not installed"):
        find_package("no_such_package")
