"""Pictures: drawing the sample's, and measuring any."""

import os
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

ORIGINALS = 90
"""Pictures drawn from nothing; the rest are copies and broken files."""

COPIES = 16
BROKEN = 2


def draw_pictures(rng: random.Random, folder: Path) -> list[str]:
    """Draw the community's pictures into `folder`; returns their file names, in order of upload.

    After the originals come copies as people upload them again (smaller, brighter, recompressed),
    and files whose upload broke off.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:03}.{rng.choice(('png', 'jpg'))}" for number in range(1, ORIGINALS + 1)]
    for name in names:
        _draw(rng).save(folder / name, compress_level=1)
    copied = rng.sample(names, COPIES)
    names += [_copy(rng, folder, name) for name in copied]
    names += [_break_off(folder, name) for name in rng.sample(copied, BROKEN)]
    return names


def _draw(rng: random.Random) -> Image.Image:
    """A gradient with some shapes on it."""
    width, height = rng.choice(((1200, 900), (900, 1200), (1080, 1080)))
    gradient = Image.linear_gradient("L").rotate(rng.randrange(360), expand=True)
    image = ImageOps.colorize(gradient.resize((width, height)), _colour(rng), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(5, 9)):
        x, y = rng.randrange(-120, width - 120), rng.randrange(-120, height - 120)
        box = (x, y, x + rng.randint(150, 480), y + rng.randint(150, 480))
        shape = rng.choice((draw.ellipse, draw.rectangle))
        shape(box, fill=_colour(rng))
    return image


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _copy(rng: random.Random, folder: Path, name: str) -> str:
    copy = f"{Path(name).stem}-copy.jpg"
    with Image.open(folder / name) as original:
        smaller = original.reduce(rng.choice((1, 2)))
        brighter = ImageEnhance.Brightness(smaller).enhance(rng.uniform(1.0, 1.06))
        brighter.save(folder / copy, quality=rng.randint(60, 90))
    return copy


def _break_off(folder: Path, name: str) -> str:
    broken = f"{Path(name).stem}-broken{Path(name).suffix}"
    whole = (folder / name).read_bytes()
    (folder / broken).write_bytes(whole[: len(whole) // 3])
    return broken


def shrink(source: Path, size: int) -> Image.Image:
    """A copy of a picture that fits into a square of `size` pixels.

    Raises OSError when the file is no whole picture.
    """
    with Image.open(source) as image:
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        return image.convert("RGB")


def save(image: Image.Image, target: Path) -> None:
    """Write a picture so that whoever reads `target` meanwhile gets the old one or the new one."""
    unfinished = target.with_suffix(f".{os.getpid()}.png")
    image.save(unfinished)
    unfinished.replace(target)


def difference_hash(image: Image.Image) -> str:
    """64 bits, as 16 hexadecimal digits: whether each spot is brighter than its right neighbour.

    Resizing, recompressing and brightening change few of them: the "dHash" of perceptual hashing.
    """
    small = image.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
    grey = small.tobytes()
    rows = [grey[start : start + 9] for start in range(0, 72, 9)]
    bits = "".join("01"[left > right] for row in rows for left, right in pairwise(row))
    return f"{int(bits, 2):016x}"


def hash_distance(one: str, other: str) -> int:
    """How many bits of two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def main_colours(image: Image.Image, limit: int) -> list[tuple[str, float]]:
    """The most frequent colours as (#rrggbb, share of the pixels), most frequent first.

    Colours are counted in steps of 32, and each stands for its step's middle.
    """
    bands = ImageOps.posterize(image.convert("RGB"), 3).tobytes()
    counts = Counter(zip(bands[0::3], bands[1::3], bands[2::3], strict=True))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [
        ("#" + "".join(f"{channel + 16:02x}" for channel in colour), count / counts.total())
        for colour, count in ordered
    ]
