"""Whatever was observed, it is judged, and the journal can hold it."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.judge import judge
from engine.expressions import observation_types
from engine.model.effects import CheckCall
from engine.model.evidence import Evidence, Observation


def call(pass_: str | None = None, **fields: Any) -> CheckCall:
    """Return a check as it was looked at."""
    return CheckCall("lag", "lag", "prometheus", pass_=pass_, **fields)


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
NAMES = [*sorted(observation_types()), "other"]
observations = st.builds(
    Observation,
    seen=st.dictionaries(st.sampled_from(NAMES), trees),
    verdict=st.sampled_from([None, "pass", "fail"]),
    unknown=st.none() | st.text(),
    summary=st.text(alphabet=st.characters(exclude_categories=())),
    source=st.text(alphabet=st.characters(exclude_categories=())),
    sampled_at=st.none() | st.floats(),
)
RULES = [
    None,
    "value < 5",
    "values < 5",
    "json.a.b == 'x'",
    "response.status == 200",
    "series.all(s, s.value > 1)",
    "size(addresses) > 0 || exit_code == 0",
    "no such CEL",
]


@settings(deadline=None, max_examples=150)
@given(
    observations,
    st.sampled_from(RULES),
    st.sampled_from(RULES),
    st.sampled_from([None, "all", "any"]),
)
def test_any_observation_is_judged_and_can_be_stored(
    observation: Observation, pass_: str | None, rule: str | None, over: str | None
) -> None:
    """No content raises; what is kept can be written as JSON, and nothing is guessed."""
    asked = call(pass_, unknown_when=rule, pass_for=over)
    found = judge(asked, observation, tick=1.0, at=100.0, attempts=1)
    again = msgspec.json.decode(msgspec.json.encode(found), type=Evidence)

    assert (again, bool(found.why)) == (found, True)
    assert observation.unknown is None or found.state == "unknown"
