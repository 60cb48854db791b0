"""MemoryAlerts: ports.AlertStore without a disk, for tests and rehearsals.

The same contract as the journal's, except that nothing outlives the process. What the
journal writes into its mail and outbox stands in `mail` and `notices`.

Called by engine.testing, tests/contracts.
"""

from collections.abc import Sequence

import msgspec

from engine.model.alert import Delivery, Receipt
from engine.model.decision import IDLE, Decision
from engine.model.effects import Say
from engine.model.events import Event


class MemoryAlerts:
    """Deliveries and decisions in a few lists."""

    def __init__(self) -> None:
        self.mail: list[tuple[str, Event]] = []
        self.notices: list[tuple[str, Say]] = []
        self._deliveries: list[tuple[float, Delivery]] = []
        self._bodies: set[tuple[str, bytes]] = set()
        self._decided: set[int] = set()
        self._decisions: list[Decision] = []
        self._carried: set[int] = set()

    async def keep(self, delivery: Delivery, raw: bytes, *, at: float) -> Receipt:
        """Keep a delivery."""
        repeated = (delivery.source, raw) in self._bodies
        self._bodies.add((delivery.source, raw))
        self._deliveries.append((at, delivery))
        return Receipt(len(self._deliveries), len(delivery.alerts), repeated)

    async def undecided(self, *, limit: int = 100) -> list[tuple[int, float, Delivery]]:
        """Return what waits for decisions, in order."""
        waiting = [
            (number, at, delivery)
            for number, (at, delivery) in enumerate(self._deliveries, 1)
            if number not in self._decided
        ]
        return waiting[:limit]

    async def backlog(self) -> int:
        """Return how many deliveries wait for decisions."""
        return len(self._deliveries) - len(self._decided)

    async def decide(
        self,
        deliveries: Sequence[int],
        decisions: Sequence[Decision],
        *,
        carried: Sequence[int] = (),
        mail: Sequence[tuple[str, Event]] = (),
        notices: Sequence[tuple[str, Say]] = (),
    ) -> list[int]:
        """Keep decisions and what comes of them; return the decisions' numbers."""
        first = len(self._decisions) + 1
        self._decided.update(deliveries)
        self._decisions += decisions
        self._carried.update(carried)
        self.mail += mail
        self.notices += notices
        return list(range(first, first + len(decisions)))

    async def to_carry_out(self) -> list[tuple[int, Decision]]:
        """Return the starts that are not known to be carried out, in order."""
        return [
            (number, one)
            for number, one in enumerate(self._decisions, 1)
            if one.outcome == "started" and number not in self._carried
        ]

    async def carried_out(self, numbers: Sequence[int]) -> None:
        """Mark what was decided as done."""
        self._carried.update(numbers)

    async def moving(
        self, *, after: int = 0, limit: int = 10_000
    ) -> list[tuple[int, Decision]]:
        """Return the decisions that change what the intake knows, oldest first."""
        found = [
            (number, one)
            for number, one in enumerate(self._decisions, 1)
            if number > after and one.outcome not in IDLE
        ]
        return found[:limit]

    async def decisions(
        self,
        *,
        about: str = "",
        outcome: str = "",
        since: float = 0.0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Return decisions, oldest first; the newest `limit` that fit."""
        found = [
            one
            for one in self._decisions
            if one.at >= since
            and outcome in ("", one.outcome)
            and about
            in ("", one.fingerprint, one.alertname, one.run, str(one.delivery))
        ]
        return found[-limit:]

    async def alert(self, delivery: int, position: int) -> Delivery | None:
        """Return a delivery with the one alert at a position, or None."""
        if not 1 <= delivery <= len(self._deliveries):
            return None
        found = self._deliveries[delivery - 1][1]
        if not 1 <= position <= len(found.alerts):
            return None
        return msgspec.structs.replace(found, alerts=(found.alerts[position - 1],))
