"""The contract of import-linter that holds the rooms inside an app apart.

Doors come first, then shapes, verbs and models; a room imports its own kind and what comes after
it, in its own app and in any other. A module is a verb unless its name says otherwise, so a new
one is covered without being listed.
"""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

DOORS, SHAPES, VERBS, MODELS = "doors", "shapes", "verbs", "models"
ORDER = [DOORS, SHAPES, VERBS, MODELS]
ROOMS = {
    DOORS: {"admin", "apps", "management", "receivers", "tasks", "urls", "views", "viewsets"},
    SHAPES: {"filters", "forms", "serializers"},
    MODELS: {"models"},
}
# Migrations import what their day had.
OUTSIDE = {"migrations"}


class Rooms(Contract):
    """Option `apps`: the packages that have rooms."""

    type_name = "rooms"
    apps = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - theirs
        upward = sorted(
            (importer, imported)
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
            if self._goes_up(importer, imported)
        )
        return ContractCheck(kept=not upward, metadata={"upward": upward})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["upward"]:
            rooms = f"{self.room_of(importer)} -> {self.room_of(imported)}"
            output.print_error(f"{importer} must not import {imported} ({rooms})")

    def room_of(self, module: str) -> str | None:
        """The room of a dotted module name; None outside the apps and for an app itself."""
        for app in self.apps:  # type: ignore[attr-defined] # a field turns into its value
            name = module.removeprefix(f"{app}.").split(".")[0]
            if module.startswith(f"{app}.") and name not in OUTSIDE:
                return next((room for room, names in ROOMS.items() if name in names), VERBS)
        return None

    def _goes_up(self, importer: str, imported: str) -> bool:
        above, below = self.room_of(importer), self.room_of(imported)
        return above is not None and below is not None and ORDER.index(above) > ORDER.index(below)
