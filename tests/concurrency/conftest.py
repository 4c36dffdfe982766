"""The fleet on both databases."""

import pytest

from tests.concurrency import fleet
from tests.support.factories import World


@pytest.fixture
def ships(world: World) -> World:
    """Fifty enabled schedules at START."""
    fleet.launch(world)
    return world
