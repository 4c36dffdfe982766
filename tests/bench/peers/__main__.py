"""`python -m tests.bench.peers NAME ADDRESS`: a peer's worker process."""

import logging
import sys
from importlib import import_module

if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    import_module(f"tests.bench.peers.{sys.argv[1]}").work(sys.argv[2])
