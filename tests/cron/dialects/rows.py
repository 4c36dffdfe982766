"""The instants at which the real engines fired: each row was measured by running that engine."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parents[2] / "data/dialects.jsonl.gz"


class Row(NamedTuple):
    engine: str
    version: str
    expr: str
    zone: str
    after: str
    next: list[str]

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.after)


def rows() -> list[Row]:
    with gzip.open(_FILE, "rt") as lines:
        return [Row(**json.loads(line)) for line in lines]


def texts(instants: list[datetime]) -> list[str]:
    return [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in instants]
