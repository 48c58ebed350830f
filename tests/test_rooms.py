"""The floors' linter sees what it should: the contract itself, on graphs made by hand."""

import pytest
from grimp import ImportGraph

from tests.rooms import Rooms


def upward(importer: str, imported: str) -> bool:
    graph = ImportGraph()
    graph.add_import(importer=importer, imported=imported)
    contract = Rooms("rooms", {}, {"apps": ["support", "backoffice.rest"]})
    return not contract.check(graph, verbose=False).kept


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("support.models.ticket", "support.routing"),
        ("support.routing", "support.tasks"),
        ("support.routing.rules", "support.forms.ticket"),
        ("support.serializers", "support.viewsets"),
        ("support.routing", "backoffice.rest.viewsets"),
    ],
)
def test_a_room_does_not_import_what_comes_before_it(importer, imported):
    assert upward(importer, imported)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("support.admin.ticket", "support.tasks"),
        ("support.viewsets", "support.models.ticket"),
        ("support.routing", "support.priority"),
        ("support.models.ticket", "support.models.message"),
        ("support.migrations.0001_initial", "support.admin"),
        ("backoffice.urls", "support.viewsets"),
        ("support.routing", "supportive.views"),
    ],
)
def test_a_room_imports_its_own_kind_and_what_comes_after_it(importer, imported):
    assert not upward(importer, imported)
