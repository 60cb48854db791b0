"""When the alert fired is known from the alert that started the run."""

from engine.model.events import Started
from engine.model.people import Actor
from engine.model.timeline import Entry
from engine.views.facts import facts


def test_detection_is_counted_from_what_the_source_wrote() -> None:
    """MTTA of the engine: from the alert's own start to its arrival here."""
    by = Actor("alertmanager", kind="source")
    begun = Started(
        run="r",
        revision="x",
        by=by,
        at=1_767_225_610.0,
        alert_starts_at="2026-01-01T00:00:00Z",
    )
    entries = [Entry("r", 1, 1_767_225_610.0, 0.0, "started", "begun", event=begun)]

    assert 1_767_225_600.0 == facts(entries).moments.detect
