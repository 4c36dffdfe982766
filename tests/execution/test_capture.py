"""What of a process's logging a capture puts right again."""

import logging
from datetime import UTC, datetime

from tick.execution.capture import captured


def test_a_logger_that_a_job_switched_off_is_heard_again_although_nothing_else_changed() -> None:
    logger = logging.getLogger("tests.of.a.capture")
    with captured(lambda: datetime.now(UTC)) as capture:
        logger.disabled = True
        capture.renew()
        assert not logger.disabled
