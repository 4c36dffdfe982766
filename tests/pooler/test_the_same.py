"""What holds on a PostgreSQL server holds behind a transaction pooler: the very same tests."""

import pytest

from tests.engine.test_claim_runs import *  # noqa: F403
from tests.engine.test_tick import *  # noqa: F403

pytestmark = pytest.mark.postgres
