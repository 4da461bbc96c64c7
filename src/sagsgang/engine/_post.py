# SPDX-License-Identifier: MPL-2.0
"""The messages of one transaction: stored, handed to whoever waits for them, marked together.

One message or a group of them: the statements are as many. A message of a group finds what it would
find if each had a transaction of its own: those before it have arrived, those after it have not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import Complete, WaitKind
from sagsgang.engine import _definitions, _store
from sagsgang.engine._instance import Instance
from sagsgang.engine.errors import ConflictError
from sagsgang.engine.models import StartSubscription

if TYPE_CHECKING:
    from sagsgang.engine._unit import UnitOfWork

__all__ = ["Letter", "Post"]

# Subscriptions looked at besides the one that should be open: some may have ended meanwhile.
_SPARE = 20
_GIVEN = (("id", "bigint"), ("instance_id", "bigint"))

Topic = tuple[str, str]
"""Name of a message and its correlation key."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is to be delivered.

    Attributes:
        name: Name of the message in the models.
        correlation_key: The value that the receiver waits for.
        variables: The contents as JSON.
        message_id: What makes it unique; empty where it is stored already.
        expires: Until when it is kept; None where it is stored already.
        row: Id of its row, where it is stored already.
    """

    name: str
    correlation_key: str
    variables: str
    message_id: str = ""
    expires: datetime | None = None
    row: int | None = None

    @property
    def topic(self) -> Topic:
        """What its receiver waits for."""
        return (self.name, self.correlation_key)


class Post:
    """The messages that a unit of work has in hand."""

    def __init__(self, unit: UnitOfWork) -> None:
        """Begin with none; args: unit: whose they are."""
        self._unit = unit
        # Rows of the messages that are this unit's to deliver, by message id or row.
        self._rows: dict[str | int, int] = {}
        self._known: dict[str, Instance | int | None] = {}
        self._in_hand: defaultdict[Topic, set[int]] = defaultdict(set)
        self._waiting: dict[Topic, list[tuple[int, int]]] = {}
        self._starts: dict[str, tuple[int, str] | None] = {}
        self._given: list[tuple[int, int]] = []

    def held(self, name: str, correlation_key: str) -> set[int]:
        """Rows of messages in hand whose turn has not come: nobody else may take them yet."""
        return self._in_hand.get((name, correlation_key), set())

    # --- Before the first step ---------------------------------------------------------------

    def collect(self, letters: Sequence[Letter]) -> None:
        """Store the new ones, take hold of the others, read and lock who waits for them."""
        self._store([each for each in letters if each.row is None])
        self._take_hold([each.row for each in letters if each.row is not None])
        counts: Counter[Topic] = Counter()
        for letter in letters:
            row = self._rows.get(letter.message_id if letter.row is None else letter.row)
            if row is not None and row not in self._in_hand[letter.topic]:
                self._in_hand[letter.topic].add(row)
                counts[letter.topic] += 1
        if not counts:
            return
        self._waiting = _who_waits(list(counts), max(counts.values()) + _SPARE)
        self._unit.load(
            instance
            for topic, count in counts.items()
            for instance, _ in self._waiting.get(topic, ())[:count]
        )

    def _store(self, letters: Sequence[Letter]) -> None:
        """Store what has not been stored by an earlier call, which may be under way elsewhere."""
        new: dict[str, Letter] = {}
        for letter in letters:
            new.setdefault(letter.message_id, letter)
        if not new:
            return
        stamp = _store.to_db(self._unit.now)
        # In their order: whoever begins to wait gets the oldest row.
        rows = [
            (
                key,
                each.name,
                each.correlation_key,
                each.variables,
                stamp,
                _store.to_db(each.expires),
            )
            for key, each in new.items()
        ]
        if _store.is_postgresql():
            source, parameter = _store.as_records(_store.MESSAGES.columns, rows)
            stored = _store.query(
                f"INSERT INTO engine_message ({_store.MESSAGES.names}) "  # noqa: S608 - constants
                f"SELECT * FROM {source} ON CONFLICT DO NOTHING RETURNING message_id, id",
                [parameter],
            )
            self._rows.update(dict(stored))
            self._known |= _receivers([key for key in new if key not in self._rows])
        else:
            self._known |= _receivers(list(new))
            missing = [row for row in rows if row[0] not in self._known]
            _store.insert_many(_store.MESSAGES, missing)
            self._rows |= _rows_of([str(row[0]) for row in missing])

    def _take_hold(self, rows: Sequence[int]) -> None:
        """Lock stored messages; what another has hold of is left to that one."""
        lock = " FOR UPDATE SKIP LOCKED" if _store.is_postgresql() else ""
        for some in _store.chunks(rows):
            marks = ", ".join(["%s"] * len(some))
            held = _store.query(
                f"SELECT id FROM engine_message WHERE id IN ({marks}) "  # noqa: S608 - marks
                f"AND delivered_at IS NULL ORDER BY id{lock}",
                some,
            )
            self._rows.update((row, row) for (row,) in held)

    # --- In the turn of each -----------------------------------------------------------------

    def deliver(self, letter: Letter) -> Instance | int | None:
        """Give a message to the instance that has waited the longest, or let it start one.

        Returns:
            The instance, or the id of one that got it from an earlier call; None while it waits.
        """
        key = letter.message_id
        if key and key in self._known:
            if self._known[key] is None:
                # Somebody may have begun to wait for it in this very unit.
                self._known |= _receivers([key])
            return self._known[key]
        row = self._rows.get(key if letter.row is None else letter.row)
        if row is None:
            return None
        self._in_hand[letter.topic].discard(row)
        if key:
            # It was stored here: if it cannot be delivered for a fault, it must not stay so.
            self._unit.mutations += 1
        found = self._hand_over(letter, row)
        if key:
            self._known[key] = found
        return found

    def _hand_over(self, letter: Letter, row: int) -> Instance | None:
        unit = self._unit
        waited = False
        for instance_id, wait in self._receivers(letter.topic):
            waited = True
            instance = unit.get(instance_id)
            # The subscription may have ended before the instance was locked.
            open_wait = instance.state.waits.get(wait) if instance.status == "active" else None
            if open_wait is None or open_wait.kind is not WaitKind.MESSAGE:
                continue
            self._give(row, instance_id)
            variables = codec.loads(letter.variables)
            unit.step(instance, Complete(wait, variables), {"message": row})
            return instance
        start = None if waited else self._start_of(letter.name)
        if start is None:
            return None
        instance = unit.start(
            _definitions.get(start[0]),
            variables=codec.loads(letter.variables),
            business_key=letter.correlation_key,
            start_event=start[1],
            trigger=letter.name,
        )
        self._give(row, instance.id)
        return instance

    def _receivers(self, topic: Topic) -> Iterator[tuple[int, int]]:
        """Who waits, the longest first; those who have begun to in this unit last."""
        waiting = self._waiting.get(topic, [])
        while waiting:
            yield waiting.pop(0)
        yield from self._unit.opened_for(*topic)

    def _start_of(self, name: str) -> tuple[int, str] | None:
        if name not in self._starts:
            self._starts[name] = (
                StartSubscription.objects.filter(
                    kind=StartSubscription.Kind.MESSAGE, name=name, definition__state="active"
                )
                .order_by("pk")
                .values_list("definition_id", "element")
                .first()
            )
        return self._starts[name]

    def _give(self, row: int, instance_id: int) -> None:
        self._unit.mutations += 1
        self._given.append((row, instance_id))

    # --- At the end --------------------------------------------------------------------------

    def write(self) -> None:
        """Mark what was delivered.

        Raises:
            ConflictError: Somebody else has delivered one of them.
        """
        if not self._given:
            return
        stamp = _store.to_db(self._unit.now)
        if _store.is_postgresql():
            source, parameter = _store.as_records(_GIVEN, self._given)
            marked = _store.run(
                "UPDATE engine_message m "  # noqa: S608 - constants
                "SET delivered_at = %s, instance_id = d.instance_id "
                f"FROM {source} WHERE m.id = d.id AND m.delivered_at IS NULL",
                [stamp, parameter],
            )
        else:
            marked = _store.run_many(
                "UPDATE engine_message SET delivered_at = %s, instance_id = %s "
                "WHERE id = %s AND delivered_at IS NULL",
                [(stamp, instance, row) for row, instance in self._given],
            )
        if marked != len(self._given):
            raise ConflictError("A message was delivered by somebody else; try again.")


def _who_waits(topics: Sequence[Topic], most: int) -> dict[Topic, list[tuple[int, int]]]:
    """Instances and waits by what they wait for, the longest first, so many of each at most."""
    marks = ", ".join(["(%s, %s)"] * len(topics))
    rows = _store.query(
        "SELECT name, correlation_key, instance_id, wait FROM ("  # noqa: S608 - marks
        "SELECT name, correlation_key, instance_id, wait, row_number() OVER ("
        "PARTITION BY name, correlation_key ORDER BY opened_at, instance_id, wait) AS place "
        "FROM engine_subscription WHERE kind = 'message' "
        f"AND (name, correlation_key) IN (VALUES {marks})) AS waiting "
        "WHERE place <= %s ORDER BY place",
        [*(value for topic in topics for value in topic), most],
    )
    found: dict[Topic, list[tuple[int, int]]] = {}
    for name, key, instance, wait in rows:
        found.setdefault((name, key), []).append((instance, wait))
    return found


def _select(keys: Sequence[str], columns: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for some in _store.chunks(keys):
        marks = ", ".join(["%s"] * len(some))
        found += _store.query(
            f"SELECT {columns} FROM engine_message "  # noqa: S608 - constants and marks
            f"WHERE message_id IN ({marks})",
            some,
        )
    return found


def _receivers(keys: Sequence[str]) -> dict[str, Instance | int | None]:
    """Which of the messages are stored, and who got them."""
    return dict(_select(keys, "message_id, instance_id"))


def _rows_of(keys: Sequence[str]) -> dict[str | int, int]:
    return dict(_select(keys, "message_id, id"))
