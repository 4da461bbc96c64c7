# SPDX-License-Identifier: MPL-2.0
"""The hash chain over the trail.

Writing an entry takes no lock: a sealer comes by now and then, and closes what has been committed
into a block whose hash covers the entries and the block before. Two transactions may commit in
another order than they took their ids, so a block also remembers which ids it has not seen; an
entry that turns up there within a day is sealed as a latecomer, later ones are reported as
inserted.

Whoever may write to the whole database can compute a new chain from some block on. The head of the
chain is therefore to be kept elsewhere too: ``verify`` returns it and compares it with one that is
given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import orjson
from django.db import IntegrityError, connections, models, router, transaction
from django.db.models.functions import Cast

from sagsgang.audit.errors import AuditError
from sagsgang.audit.models import Block, Entry
from sagsgang.audit.trail import record

__all__ = [
    "Anchor",
    "Fault",
    "FaultKind",
    "TamperedError",
    "Verification",
    "purge",
    "seal",
    "verify",
]

GENESIS: Final = bytes(32)
LATECOMERS: Final = timedelta(hours=24)

_DIGEST: Final = 32
_LEAF: Final = 8 + _DIGEST
_IDS_A_QUERY: Final = 5_000
_RANGES_A_QUERY: Final = 200
_MOST_LOST_RACES: Final = 20

Leaves = dict[int, bytes]


class TamperedError(AuditError):
    """A block that was to be purged does not verify."""

    code = "audit-tampered"


class FaultKind(StrEnum):
    """What is wrong with the trail."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    BLOCK_CHANGED = "block-changed"
    BLOCK_MISSING = "block-missing"
    CHAIN_BROKEN = "chain-broken"
    ANCHOR = "anchor"


_SENTENCES: Final = {
    FaultKind.CHANGED: "Hændelse {entry} i forsegling {block} er ændret.",
    FaultKind.MISSING: "Hændelse {entry} i forsegling {block} er fjernet.",
    FaultKind.INSERTED: "Hændelse {entry} er indsat efter forseglingen.",
    FaultKind.REORDERED: "Hændelse {entry} i forsegling {block} er byttet om med en anden.",
    FaultKind.BLOCK_CHANGED: "Forsegling {block} er ændret.",
    FaultKind.BLOCK_MISSING: "Forsegling {block} mangler.",
    FaultKind.CHAIN_BROKEN: "Forsegling {block} hænger ikke sammen med den foregående.",
    FaultKind.ANCHOR: "Forsegling {block} er en anden end den, der er gemt uden for systemet.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the trail.

    Attributes:
        kind: What is wrong.
        block: Number of the block, if the fault is in one.
        entry: Id of the entry, if one is concerned.
    """

    kind: FaultKind
    block: int | None = None
    entry: int | None = None

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(block=self.block, entry=self.entry)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head of the chain, as kept outside the system: ``17:ab12...``.

    Attributes:
        number: Number of the block.
        digest: Its hash, in hex.
    """

    number: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Read ``number:hash``.

        Raises:
            ValueError: It is not of that form.
        """
        number, colon, digest = text.strip().partition(":")
        if not (colon and number.isdecimal() and len(digest) == 2 * _DIGEST):
            raise ValueError("An anchor is written as number:hash, as 'audit verify' prints it.")
        bytes.fromhex(digest)
        return cls(int(number), digest.lower())

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    Attributes:
        blocks: Number of blocks.
        entries: Number of sealed entries that were compared.
        purged: Number of entries deleted at the end of their retention.
        unsealed: Number of entries that no block covers yet.
        head: The latest block, to be kept elsewhere; none in an empty chain.
        faults: Everything that is wrong, in order.
    """

    blocks: int
    entries: int
    purged: int
    unsealed: int
    head: Anchor | None
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def seal(now: datetime, *, size: int = 10_000) -> int:
    """Seal every committed entry that no block covers yet; returns how many were sealed.

    Several sealers may run at once: one of them wins a block, the other goes on with the next.

    Args:
        now: The instant, timezone-aware.
        size: Most entries in one block.
    """
    sealed = lost = 0
    while True:
        try:
            with transaction.atomic():
                count = _seal_one(now, size)
        except IntegrityError:
            lost += 1
            if lost > _MOST_LOST_RACES:
                raise
            continue
        sealed += count
        if count < size:
            return sealed


def _seal_one(now: datetime, size: int) -> int:
    previous = Block.objects.order_by("-number").first()
    last_id = previous.last_id if previous else 0
    horizon = (now - LATECOMERS).isoformat()
    gaps = [gap for gap in (previous.gaps if previous else []) if gap[2] >= horizon]
    leaves = _leaves(Entry.objects.filter(id__gt=last_id).order_by("id")[:size])
    late: Leaves = {}
    for start in range(0, len(gaps), _RANGES_A_QUERY):
        condition = models.Q(pk__in=())
        for low, high, _ in gaps[start : start + _RANGES_A_QUERY]:
            condition |= models.Q(id__range=(low, high))
        late |= _leaves(Entry.objects.filter(condition))
    if not leaves and not late:
        return 0
    newest = max(leaves, default=last_id)
    found = dict(sorted((late | leaves).items()))
    packed = b"".join(key.to_bytes(8, "big") + leaf for key, leaf in found.items())
    unseen = [*_without(gaps, late), *_gaps(last_id, leaves, now)]
    block = Block(
        number=previous.number + 1 if previous else 1,
        sealed_at=now.astimezone(UTC),
        count=len(found),
        first_id=min(found),
        last_id=newest,
        leaves=packed,
        gaps=unseen,
        content_hash=hashlib.sha256(packed).digest(),
        previous_hash=bytes(previous.hash) if previous else GENESIS,
    )
    block.hash = _block_hash(block)
    block.save(force_insert=True)
    return len(found)


def _gaps(last_id: int, leaves: Leaves, now: datetime) -> Iterator[list[int | str]]:
    since = now.astimezone(UTC).isoformat()
    expected = last_id + 1
    for key in leaves:
        if key > expected:
            yield [expected, key - 1, since]
        expected = key + 1


def _without(gaps: list[list[int | str]], late: Leaves) -> Iterator[list[int | str]]:
    for low, high, since in gaps:
        start = int(low)
        for key in sorted(key for key in late if start <= key <= int(high)):
            if key > start:
                yield [start, key - 1, since]
            start = key + 1
        if start <= int(high):
            yield [start, high, since]


def _leaves(entries: models.QuerySet[Entry]) -> Leaves:
    """The hash of each entry's content, by id.

    The id is no part of the hash, so that two entries that were swapped can be told from two that
    were changed.
    """
    rows = entries.annotate(text=Cast("data", models.TextField())).values_list(
        "id",
        "at",
        "actor",
        "on_behalf_of",
        "action",
        "subject_type",
        "subject_id",
        "case_number",
        "purpose",
        "text",
    )
    return {
        row[0]: hashlib.sha256(
            orjson.dumps((row[1].astimezone(UTC).isoformat(), *row[2:]))
        ).digest()
        for row in rows.iterator(chunk_size=5_000)
    }


def _block_hash(block: Block) -> bytes:
    head = orjson.dumps(
        (
            block.number,
            block.sealed_at.astimezone(UTC).isoformat(),
            block.count,
            block.first_id,
            block.last_id,
        )
    )
    digest = hashlib.sha256(bytes(block.previous_hash))
    digest.update(head)
    digest.update(bytes(block.content_hash))
    return digest.digest()


def _unpack(packed: bytes) -> Leaves:
    return {
        int.from_bytes(packed[at : at + 8], "big"): packed[at + 8 : at + _LEAF]
        for at in range(0, len(packed), _LEAF)
    }


def _fetch(keys: Iterable[int]) -> Leaves:
    wanted = list(keys)
    found: Leaves = {}
    for start in range(0, len(wanted), _IDS_A_QUERY):
        found |= _leaves(Entry.objects.filter(id__in=wanted[start : start + _IDS_A_QUERY]))
    return found


def _compare(block: int, expected: Leaves, actual: Leaves) -> Iterator[Fault]:
    known = set(expected.values())
    for key, leaf in expected.items():
        if key not in actual:
            yield Fault(FaultKind.MISSING, block, key)
        elif actual[key] != leaf:
            swapped = actual[key] in known
            yield Fault(FaultKind.REORDERED if swapped else FaultKind.CHANGED, block, key)


def verify(*, anchor: Anchor | None = None) -> Verification:
    """Check the whole trail against its chain.

    Args:
        anchor: A head of the chain that was kept elsewhere, to detect a chain that was computed
            anew or cut off.
    """
    faults: list[Fault] = []
    unclaimed: set[int] = set()
    blocks = entries = purged = 0
    previous_hash, previous_number, last_id = GENESIS, 0, 0
    head: Block | None = None
    anchored = anchor is None
    for block in Block.objects.order_by("number").iterator(chunk_size=20):
        blocks += 1
        faults += (
            Fault(FaultKind.BLOCK_MISSING, number)
            for number in range(previous_number + 1, block.number)
        )
        if bytes(block.previous_hash) != previous_hash:
            faults.append(Fault(FaultKind.CHAIN_BROKEN, block.number))
        if anchor is not None and block.number == anchor.number:
            anchored = bytes(block.hash).hex() == anchor.digest
        packed = bytes(block.leaves)
        content = hashlib.sha256(packed).digest() == bytes(block.content_hash)
        whole = _block_hash(block) == bytes(block.hash) and (content or block.purged_at is not None)
        if not whole:
            faults.append(Fault(FaultKind.BLOCK_CHANGED, block.number))
        if block.purged_at is not None:
            purged += block.count
        elif whole:
            expected = _unpack(packed)
            actual = _leaves(Entry.objects.filter(id__gt=last_id, id__lte=block.last_id))
            unclaimed.update(actual.keys() - expected.keys())
            late = [key for key in expected if key <= last_id]
            actual |= _fetch(late)
            unclaimed.difference_update(late)
            faults += _compare(block.number, expected, actual)
            entries += len(expected)
        previous_hash, previous_number, head = bytes(block.hash), block.number, block
        last_id = max(last_id, block.last_id)
    if not anchored and anchor is not None:
        faults.append(Fault(FaultKind.ANCHOR, anchor.number))
    open_gaps = [(int(low), int(high)) for low, high, _ in head.gaps] if head else []
    awaited = {key for key in unclaimed if any(low <= key <= high for low, high in open_gaps)}
    faults += (Fault(FaultKind.INSERTED, None, key) for key in sorted(unclaimed - awaited))
    return Verification(
        blocks=blocks,
        entries=entries,
        purged=purged,
        unsealed=len(awaited) + Entry.objects.filter(id__gt=last_id).count(),
        head=Anchor(head.number, bytes(head.hash).hex()) if head else None,
        faults=tuple(faults),
    )


def purge(before: datetime, *, now: datetime, actor: str) -> int:
    """Delete the entries of blocks sealed before an instant; the chain of blocks stays whole.

    The latest block is always kept, and every deletion is itself recorded, so that it can be done
    again after an old copy of the database was restored.

    Args:
        before: The end of the retention, timezone-aware.
        now: The instant, timezone-aware.
        actor: Who does it.

    Returns:
        How many entries were deleted.

    Raises:
        TamperedError: A block does not verify; nothing of it is deleted, as it is evidence.
    """
    connection = connections[router.db_for_write(Entry)]
    deleted = 0
    newest = Block.objects.order_by("-number").values_list("number", flat=True).first() or 0
    due = Block.objects.filter(sealed_at__lt=before, purged_at__isnull=True, number__lt=newest)
    for block in due.order_by("number"):
        packed = bytes(block.leaves)
        expected = _unpack(packed)
        if (
            _block_hash(block) != bytes(block.hash)
            or hashlib.sha256(packed).digest() != bytes(block.content_hash)
            or any(_compare(block.number, expected, _fetch(expected)))
        ):
            raise TamperedError(
                f"Block {block.number} does not verify: run 'audit verify' and keep it as evidence."
            )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE audit_block SET purged_at = %s, leaves = %s WHERE number = %s",
                (connection.ops.adapt_datetimefield_value(now.astimezone(UTC)), b"", block.number),
            )
            cursor.executemany("DELETE FROM audit_entry WHERE id = %s", [(k,) for k in expected])
            record(
                "audit.purged",
                actor=actor,
                at=now,
                subject_type="audit_block",
                subject_id=block.number,
                data={"entries": len(expected), "sealed_at": block.sealed_at},
            )
        deleted += len(expected)
    return deleted
