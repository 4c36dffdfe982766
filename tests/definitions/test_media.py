"""What the media jobs wrote, checked against the pictures themselves."""

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from definitions import media
from definitions.community.database import media_folder
from definitions.community.pictures import difference_hash, hash_distance, main_colours


@pytest.fixture
def files(query):
    """Every picture's id to its file name."""
    return dict(query("SELECT id, file FROM media"))


def test_unreadable_are_just_the_files_whose_upload_broke_off(query, files):
    reported = {files[picture] for (picture,) in query("SELECT media_id FROM unreadable_media")}
    assert reported == {name for name in files.values() if not decodes(media_folder() / name)}
    assert reported == {name for name in files.values() if "-broken" in name}


def decodes(path):
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, UnidentifiedImageError):
        return False
    return True


def test_thumbnails_are_the_same_pictures_within_160_pixels(query, files):
    made = query("SELECT media_id, file, width, height FROM thumbnail")
    assert len(made) == len(files) - 2
    for picture, name, width, height in made[::4]:
        with (
            Image.open(media_folder() / files[picture]) as original,
            Image.open(media_folder() / name) as small,
        ):
            assert small.size == (width, height)
            assert max(width, height) == 160
            assert width / height == pytest.approx(original.width / original.height, rel=0.02)
            expected = original.convert("RGB").resize(small.size, Image.Resampling.BOX)
            difference = ImageStat.Stat(ImageChops.difference(expected, small.convert("RGB")))
            assert max(difference.mean) < 4  # of 255


def test_palettes_are_the_most_frequent_colours_counted_pixel_by_pixel(query):
    for picture, name in query("SELECT media_id, file FROM thumbnail")[::20]:
        with Image.open(media_folder() / name) as image:
            pixels = [
                tuple(channel // 32 for channel in image.getpixel((x, y)))
                for x in range(image.width)
                for y in range(image.height)
            ]
        counts = Counter(pixels)
        palette = query(
            "SELECT colour, share FROM palette WHERE media_id = ? ORDER BY rank", picture
        )
        shares = sorted((count / len(pixels) for count in counts.values()), reverse=True)
        assert [share for _, share in palette] == pytest.approx(shares[:5], abs=1e-6)
        for colour, share in palette:
            step = tuple(channel // 32 for channel in bytes.fromhex(colour.removeprefix("#")))
            assert counts[step] / len(pixels) == pytest.approx(share, abs=1e-6)


def test_the_colours_of_a_flag():
    flag = Image.new("RGB", (4, 1), (200, 0, 0))
    flag.putpixel((0, 0), (255, 255, 255))
    assert main_colours(flag, 5) == [("#d01010", 0.75), ("#f0f0f0", 0.25)]
    assert main_colours(flag, 1) == [("#d01010", 0.75)]


def test_a_hash_tells_where_it_gets_darker_to_the_right():
    brighter, darker = Image.linear_gradient("L").rotate(90), Image.linear_gradient("L").rotate(270)
    assert difference_hash(brighter) == "0" * 16
    assert difference_hash(darker) == "f" * 16
    assert hash_distance("0" * 16, "f" * 16) == 64
    assert hash_distance("00000000000000ff", "000000000000000f") == 4


def test_hashes_are_those_of_the_thumbnails_pixels(query):
    rows = query("SELECT file, hash FROM media_hash JOIN thumbnail USING (media_id)")
    assert len(rows) == 36 + 8
    for name, stored in rows:
        with Image.open(media_folder() / name) as image:
            spots = image.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
        value = 0
        for y in range(8):
            for x in range(8):
                value = value * 2 + (spots.getpixel((x, y)) > spots.getpixel((x + 1, y)))
        assert int(stored, 16) == value


def test_duplicates_are_just_the_pictures_that_were_copied(query, files):
    found = {
        (files[picture], files[original])
        for picture, original in query("SELECT media_id, original_id FROM duplicate_media")
    }
    by_stem = {Path(name).stem: name for name in files.values()}
    copies = {name for name in files.values() if "-copy" in name}
    assert found == {(name, by_stem[name.removesuffix("-copy.jpg")]) for name in copies}


def test_every_copy_points_to_the_first_upload(fill):
    alike = ["0000000000000000", "ffffffffffffffff", "0000000000000001", "000000000000007f"]
    fill(
        media=[(picture, 1, f"{picture}.png") for picture in (1, 2, 3, 4)],
        media_hash=list(enumerate(alike, start=1)),
    )
    media.duplicate_media()
    # The fourth is like the third, and only by way of it like the first.
    assert hash_distance(alike[3], alike[0]) > 6
    assert media.read("SELECT * FROM duplicate_media") == [(3, 1), (4, 1)]
