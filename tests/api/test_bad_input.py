# SPDX-License-Identifier: MPL-2.0
"""Whatever is sent, the answer is a problem and never a fault of the program."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagsgang.api.bodies import LARGEST_BODY
from sagsgang.organisation.models import RoleAssignment
from tests.api.conftest import ROBOT, Caller
from tests.api.test_every_route import ROUTES
from tests.examples import examples
from tests.world import BEGINNING

pytestmark = pytest.mark.django_db

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "1", "-1", "\0", "x" * 300, ROBOT, "2025-000001", "typing"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["kind", "@", "lines"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
PATHS = st.sampled_from(
    ["1-1", "0-0", "9" * 18 + "-1", "1", "0", "2025-000001", "x", "æ", "%00", "a b"]
)


@pytest.fixture
def anything(key: Any, world: Any, robot: Caller, start: Any) -> Caller:
    """A key that opens everything, and something to break."""
    for role in (RoleAssignment.Role.OPERATOR, RoleAssignment.Role.CASEWORKER):
        RoleAssignment.objects.create(user=world.manager, role=role, valid_from=BEGINNING)
    start()
    return key(
        "anything",
        "jobs",
        "cases",
        "messages",
        "observe",
        "operate",
        task_types=[ROBOT],
        messages=["m"],
        user=world.manager.username,
        per_minute=1_000_000,
    )


SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=examples(40), suppress_health_check=SUPPRESSED)
@given(data=st.data())
def test_a_body_with_wrong_fields_is_refused_and_breaks_nothing(
    anything: Caller, data: st.DataObject
) -> None:
    method, path, body, _, _ = data.draw(
        st.sampled_from([each for each in ROUTES if each[0] == "POST"])
    )
    where = data.draw(PATHS)
    for part in ("job", "task", "run", "process", "task_type"):
        path = path.replace(f"{{{part}}}", where)
    name = data.draw(st.sampled_from(sorted(body)) if body else st.just("x"))
    changed = {
        **body,
        name: data.draw(VALUES),
        **data.draw(
            st.dictionaries(
                st.sampled_from(["lock", "variables", "data", "act", "filter", "reason", "types"]),
                VALUES,
                max_size=2,
            )
        ),
    }
    headers = {"Idempotency-Key": data.draw(st.text("ab", max_size=3))}
    answer = anything.send(method, path, json.dumps(changed), **headers)
    assert answer.status_code < 500, (path, changed, answer.content)
    if answer.status_code >= 400:
        assert answer.json()["code"]


@settings(max_examples=examples(25), suppress_health_check=SUPPRESSED)
@given(body=st.binary(max_size=60) | st.text(max_size=60) | VALUES.map(json.dumps))
def test_a_body_that_is_no_object_is_refused(anything: Caller, body: bytes | str) -> None:
    answer = anything.post("jobs/fetch", body)
    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"malformed", "invalid"}


@settings(max_examples=examples(25), suppress_health_check=SUPPRESSED)
@given(
    where=st.sampled_from(["cases", "tasks", "instances"]),
    query=st.dictionaries(
        st.sampled_from(
            ["limit", "before", "after", "status", "kind", "process", "version", "code"]
        ),
        st.text(max_size=12) | st.integers().map(str),
    ),
)
def test_a_wrong_query_is_refused(anything: Caller, where: str, query: dict[str, str]) -> None:
    from urllib.parse import urlencode

    answer = anything.get(f"{where}?{urlencode(query)}")
    assert answer.status_code in {200, 400, 422}, (query, answer.content)


@pytest.mark.parametrize(
    "body",
    [
        '{"worker": "w", "types": ["a"], "max_jobs": NaN}',
        '{"worker": "w\\u0000", "types": ["a"]}',
        '{"worker": "\\ud800", "types": ["a"]}',
        "[" * 5_000 + "]" * 5_000,
        '{"a":' * 300 + "1" + "}" * 300,
        b'{"worker": "\xff"}',
        "",
        "null",
    ],
)
def test_what_is_not_strict_json_is_malformed(robot: Caller, body: bytes | str) -> None:
    answer = robot.post("jobs/fetch", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_what_is_wrong_with_a_body_is_said_without_repeating_it(robot: Caller) -> None:
    broken = b'{"lock": "070761-4285",\n "variables": {]}'
    answer = robot.post("jobs/1-1/complete", broken).json()
    assert answer["detail"] == "The body is not JSON from line 2, column 16 on."
    answer = robot.post("jobs/1-1/complete", b'{"lock": "a\\u0000"}').json()
    assert answer["detail"] == "Texts must not hold the character U+0000."


def test_a_parameter_that_is_spelled_wrong_is_refused_by_name(anything: Caller) -> None:
    answer = anything.get("instances?proces=typing").json()
    assert answer["errors"] == [{"field": "proces", "message": "Unknown parameter."}]


def test_a_backslash_before_u0000_is_just_text(robot: Caller) -> None:
    body = '{"worker": "w", "types": ["' + ROBOT + '"], "max_jobs": "\\\\u0000"}'
    answer = robot.post("jobs/fetch", body)
    assert answer.json()["errors"][0]["field"] == "max_jobs"


def test_an_unknown_field_is_refused_by_name(robot: Caller) -> None:
    answer = robot.post("jobs/fetch", {"worker": "w", "types": [ROBOT], "lockseconds": 5})
    assert answer.json()["errors"] == [
        {"field": "lockseconds", "message": "Extra inputs are not permitted"}
    ]


def test_a_body_over_the_limit_is_refused_with_the_limit(robot: Caller) -> None:
    answer = robot.post("jobs/fetch", b'{"worker": "' + b"w" * LARGEST_BODY + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert f"{LARGEST_BODY:,}" in answer.json()["detail"]


def test_another_media_type_is_refused(robot: Caller) -> None:
    from django.test import Client

    answer = Client().post(
        "/api/v1/jobs/fetch",
        {"worker": "w"},
        headers={"Authorization": f"Bearer {robot.key}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_a_personal_number_in_an_address_is_refused(robot: Caller) -> None:
    for address in ("instances?business_key=0101610000", "cases/010161-0000"):
        answer = robot.get(address)
        assert answer.json()["code"] == "personal-number-in-address"


def test_values_that_were_sent_are_not_repeated_in_the_answer(robot: Caller) -> None:
    answer = robot.post("jobs/fetch", {"worker": "Hemmelig Person", "types": [ROBOT]})
    assert answer.status_code == 422
    assert b"Hemmelig" not in answer.content
