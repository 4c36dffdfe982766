"""A site of its own for each test that starts processes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.site import Site


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """A site whose database was never migrated."""
    site = Site(tmp_path, f"sqlite:///{tmp_path / 'tick.db'}")
    yield site
    site.close()


@pytest.fixture
def site(empty_site: Site, sqlite_template: Path) -> Site:
    """A site with a migrated database."""
    shutil.copy(sqlite_template, empty_site.folder / "tick.db")
    return empty_site
