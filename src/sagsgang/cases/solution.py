# SPDX-License-Identifier: MPL-2.0
"""A solution (løsning): one folder with everything that makes up a service.

``load(folder)`` reads and checks it; nothing is deployed. See ``docs/write-a-solution.md``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sagsgang import bpmn, feel
from sagsgang.cases import fitting
from sagsgang.cases.errors import SolutionError, UnknownError

PACKAGE = "sagsgang.solutions"
ENTRY_POINT_GROUP = "sagsgang.solutions"


class Settings(BaseModel):
    """A table of solution.toml: unknown keys are refused, so that a spelling mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(Settings):
    """Why the flow stops for a person.

    Attributes:
        text: One plain Danish sentence: what is the matter.
        help: What the caseworker can do about it.
        rule: The rule behind it, with its source.
    """

    text: str = Field(min_length=1)
    help: str = ""
    rule: str = ""


class CaseSettings(Settings):
    """How a case of this solution looks. Values are FEEL expressions over the process variables.

    Attributes:
        title: Title of the case.
        summary: Facts for lists and the head of the case page, by label.
        stages: Element id to the Danish phrase shown while a token waits there.
        endings: Id of an end event to the status of the case when it ends there.
        unsettled: Elements at which an outside system may hold something of the case. A case that
            is stopped there keeps its facts in the register.
    """

    title: str
    summary: Mapping[str, str] = Field(default_factory=dict)
    stages: Mapping[str, str] = Field(default_factory=dict)
    endings: Mapping[str, Literal["completed", "rejected", "withdrawn"]] = Field(
        default_factory=dict
    )
    unsettled: Sequence[str] = ()


class Outcome(Settings):
    """One way to complete a user task, a button on its page.

    Attributes:
        title: The button's text.
        style: How much it stands out.
        needs_comment: Whether a reason must be written.
        bulk: Whether many tasks may be completed so at once.
        when: FEEL over the task's facts; the outcome is offered only where it gives true.
    """

    title: str
    style: Literal["primary", "secondary", "tertiary", "warning"] = "secondary"
    needs_comment: bool = False
    bulk: bool = False
    when: str = ""


class UserTaskSettings(Settings):
    """A user task of the flow: who, and how it may end.

    Attributes:
        kind: Whose inbox.
        outcomes: Value of the variable ``outcome`` to its button.
    """

    kind: Literal["caseworker", "approver", "requester"]
    outcomes: Mapping[str, Outcome]


class Benefit(Settings):
    """The business case: what it took before, and what the solution closes (X11, X16)."""

    baseline_minutes: Decimal | None = None
    volume_a_year: int | None = None
    closes: Sequence[str] = ()


class Description(Settings):
    """The whole of solution.toml.

    Attributes:
        id: Folder name and key, ``timesheets``.
        version: Raised when anything in the folder changes.
        title: What the portal calls it.
        description: One or two sentences for the requester.
        support_function: The administrative area it belongs to (støttefunktion).
        kle: KLE subject number, empty until the municipality has chosen one.
        process: Id of the BPMN process that a new order starts.
        form: Form that a requester fills.
        minutes: How long it takes to fill in, for the start page.
        needs: What the requester needs at hand.
        may_submit: Roles that may order.
        queue: Queue of tasks that name no candidate group.
        service_days: Working days within which a case should end.
        retention_years: Years that a closed case is kept.
        systems: Outside systems it touches.
        external: Task types that workers outside fetch over the API, instead of a handler here.
        settings: Values that an installation may change, with their defaults.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: str
    title_en: str = ""
    description: str
    support_function: str
    kle: str = ""
    process: str
    form: str = "start"
    minutes: int = 5
    needs: Sequence[str] = ()
    may_submit: Sequence[str] = ("requester", "approver", "caseworker")
    queue: str
    service_days: int = Field(gt=0)
    retention_years: int = Field(gt=0)
    systems: Sequence[str] = ()
    external: Sequence[str] = ()
    case: CaseSettings
    tasks: Mapping[str, UserTaskSettings] = Field(default_factory=dict)
    reasons: Mapping[str, Reason] = Field(default_factory=dict)
    queues: Mapping[str, str] = Field(default_factory=dict)
    benefit: Benefit = Benefit()
    settings: Mapping[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Solution:
    """A solution as read from its folder; immutable.

    Attributes:
        folder: Where it lies.
        description: What solution.toml says.
        process: The BPMN file.
        decisions: Decision table files by name.
        forms: Form schemas by id.
        scenarios: Scenario files by name.
        readme: The process owner's page, in Danish.
        handlers: The module of functions that the flow calls.
    """

    folder: Path
    description: Description
    process: bytes = field(repr=False)
    decisions: Mapping[str, bytes] = field(repr=False)
    forms: Mapping[str, Mapping[str, Any]] = field(repr=False)
    scenarios: Mapping[str, bytes] = field(repr=False)
    readme: str = field(repr=False)
    handlers: ModuleType | None = field(repr=False)

    @property
    def id(self) -> str:
        """Key of the solution."""
        return self.description.id

    @property
    def version(self) -> str:
        """Version of the solution."""
        return self.description.version

    @property
    def title(self) -> str:
        """What people call it."""
        return self.description.title

    @cached_property
    def sha256(self) -> str:
        """Digest of everything that decides how a case runs: flow, tables, forms, Python."""
        digest = hashlib.sha256()
        for path in sorted(_content(self.folder)):
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    @cached_property
    def graphs(self) -> Sequence[bpmn.Graph]:
        """The processes of the flow that can run.

        Raises:
            sagsgang.bpmn.BpmnLibraryError: The model has faults.
        """
        model = bpmn.load(self.process)
        chosen = [each for each in model.processes if each.executable] or model.processes
        return tuple(bpmn.compile(model, each.id) for each in chosen)

    @cached_property
    def title_program(self) -> feel.Program:
        """The title of a case, over process variables."""
        return _program(self.description.case.title)

    @cached_property
    def summary_programs(self) -> Mapping[str, feel.Program]:
        """The summary of a case by label, over process variables."""
        return {label: _program(text) for label, text in self.description.case.summary.items()}

    def reason(self, code: str) -> Reason:
        """The reason with this code; an unlisted one is shown by its code."""
        return self.description.reasons.get(code) or Reason(text=code)


def _program(text: str) -> feel.Program:
    return feel.compile(text.removeprefix("="))


def _content(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path


def load(folder: Path) -> Solution:
    """Read a solution folder and check that its parts fit together.

    Args:
        folder: The folder that holds solution.toml.

    Raises:
        SolutionError: With every fault found, each with its file.
    """
    folder = folder.resolve()
    faults: list[str] = []
    description = _read_description(folder, faults)
    process = _read(folder / "process.bpmn", faults)
    decisions = {path.name: path.read_bytes() for path in sorted(folder.glob("rules/*.dmn"))}
    forms = _read_forms(folder, faults)
    if description is None or process is None or faults:
        raise SolutionError(folder.name, faults)
    readme = folder / "README.md"
    solution = Solution(
        folder=folder,
        description=description,
        process=process,
        decisions=decisions,
        forms=forms,
        scenarios={
            path.stem: path.read_bytes() for path in sorted(folder.glob("scenarios/*.yaml"))
        },
        readme=readme.read_text(encoding="utf-8") if readme.exists() else "",
        handlers=_load_handlers(folder, faults),
    )
    faults += fitting.faults(solution)
    if faults:
        raise SolutionError(description.id, faults)
    return solution


def _read(path: Path, faults: list[str]) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        faults.append(f"{path.name}: filen mangler eller kan ikke læses.")
        return None


def _read_description(folder: Path, faults: list[str]) -> Description | None:
    content = _read(folder / "solution.toml", faults)
    if content is None:
        return None
    try:
        return Description.model_validate(tomllib.loads(content.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"solution.toml: kan ikke læses ({error}).")
    except ValidationError as error:
        faults += [
            f"solution.toml: {'.'.join(map(str, fault['loc']))}: {fault['msg']}."
            for fault in error.errors(include_url=False, include_input=False)
        ]
    return None


def _read_forms(folder: Path, faults: list[str]) -> dict[str, Mapping[str, Any]]:
    forms: dict[str, Mapping[str, Any]] = {}
    for path in sorted(folder.glob("forms/*.form")):
        try:
            forms[path.stem] = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            faults.append(f"forms/{path.name}: er ikke gyldig JSON (linje {error.lineno}).")
    return forms


def _load_handlers(folder: Path, faults: list[str]) -> ModuleType | None:
    path = folder / "handlers.py"
    if not path.exists():
        return None
    package = Path(__file__).resolve().parent.parent / "solutions"
    try:
        if folder.parent == package:
            return importlib.import_module(f"{PACKAGE}.{folder.name}.handlers")
        name = f"sagsgang_solution_{folder.name.replace('-', '_')}"
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None:  # pragma: no cover - only for a loader that Python does not have
            faults.append("handlers.py: kan ikke indlæses.")
            return None
        if name not in sys.modules:
            sys.modules[name] = importlib.util.module_from_spec(spec)
        return importlib.import_module(f"{name}.handlers")
    except Exception as error:  # noqa: BLE001 - whatever a solution's module does at import is its fault, and is shown
        faults.append(f"handlers.py: kan ikke indlæses ({type(error).__name__}: {error}).")
        return None


@lru_cache(maxsize=1)
def installed() -> Mapping[str, Solution]:
    """Every solution that this installation can run, by id: its own and those of packages.

    Raises:
        SolutionError: One of them has faults.
    """
    package = Path(__file__).resolve().parent.parent / "solutions"
    folders = [path.parent for path in sorted(package.glob("*/solution.toml"))]
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        origin = importlib.util.find_spec(entry.value)
        if origin is not None and origin.submodule_search_locations:
            folders.append(Path(origin.submodule_search_locations[0]))
    found = [load(folder) for folder in folders]
    check_together(found)
    return {solution.id: solution for solution in found}


def check_together(solutions: Sequence[Solution]) -> None:
    """See that solutions fit with each other.

    Raises:
        SolutionError: With the faults of the first one that does not.
    """
    for solution in solutions:
        faults = fitting.faults_together(solution, solutions)
        if faults:
            raise SolutionError(solution.id, faults)


def external_types() -> frozenset[str]:
    """The task types of all installed solutions that workers outside fetch."""
    return frozenset(
        task_type
        for solution in installed().values()
        for task_type in solution.description.external
    )


def get(solution: str) -> Solution:
    """The installed solution with this id.

    Raises:
        UnknownError: There is none.
    """
    try:
        return installed()[solution]
    except KeyError:
        known = ", ".join(sorted(installed())) or "ingen"
        message = f"Der er ingen løsning, der hedder {solution}. Installeret: {known}."
        raise UnknownError(message) from None
