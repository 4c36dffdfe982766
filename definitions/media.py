"""Media: what can be known about the pictures that members upload."""

import logging
from itertools import combinations

from PIL import Image

from definitions.community.database import media_folder, read, replace
from definitions.community.pictures import (
    difference_hash,
    hash_distance,
    main_colours,
    save,
    shrink,
)
from definitions.community.progress import with_progress
from tick import job

log = logging.getLogger(__name__)


@job(group="media", timeout=300, retries=2, idempotent=True)
def thumbnails(size: int = 160) -> dict[str, int]:
    """A small copy of each picture; files that are no whole picture are noted."""
    folder = media_folder() / "thumbnails"
    folder.mkdir(exist_ok=True)
    made, unreadable = [], []
    pictures = read("SELECT id, file FROM media ORDER BY id")
    for media, file in with_progress(pictures, "pictures"):
        try:
            small = shrink(media_folder() / file, size)
        except OSError as error:
            log.warning("%s is unreadable: %s", file, error)
            unreadable.append((media, str(error)))
            continue
        save(small, folder / f"{media}.png")
        made.append((media, f"thumbnails/{media}.png", small.width, small.height))
    return replace(thumbnail=made, unreadable_media=unreadable)


@job(group="media", depends_on=("thumbnails",), timeout=120, idempotent=True)
def palettes(colours: int = 5) -> dict[str, int]:
    """The main colours of each picture."""
    rows = []
    for media, file in read("SELECT media_id, file FROM thumbnail"):
        with Image.open(media_folder() / file) as image:
            found = main_colours(image, colours)
        rows += [
            (media, rank, colour, round(share, 6))
            for rank, (colour, share) in enumerate(found, start=1)
        ]
    return replace(palette=rows)


@job(group="media", depends_on=("thumbnails",), timeout=120, idempotent=True)
def perceptual_hashes() -> dict[str, int]:
    """A fingerprint of each picture that survives resizing and recompression."""
    hashes = []
    for media, file in read("SELECT media_id, file FROM thumbnail"):
        with Image.open(media_folder() / file) as image:
            hashes.append((media, difference_hash(image)))
    return replace(media_hash=hashes)


@job(group="media", depends_on=("perceptual-hashes",), timeout=60, idempotent=True)
def duplicate_media(distance: int = 6) -> dict[str, int]:
    """Pictures that were uploaded before, each with its first upload."""
    first: dict[int, int] = {}
    for one, other in combinations(read("SELECT media_id, hash FROM media_hash ORDER BY 1"), 2):
        if hash_distance(one[1], other[1]) <= distance:
            first.setdefault(other[0], first.get(one[0], one[0]))
    log.info("%d pictures were uploaded more than once", len(set(first.values())))
    return replace(duplicate_media=first.items())
