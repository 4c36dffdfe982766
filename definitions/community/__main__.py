"""`python -m definitions.community`: make the sample community, unless it is there."""

import argparse

from definitions.community.database import database_path, media_folder
from definitions.community.generate import generate


def main() -> None:
    """Read the command line, generate, say where."""
    parser = argparse.ArgumentParser(prog="python -m definitions.community", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="make it anew, even if it is there")
    fresh = parser.parse_args().fresh
    path = database_path()
    if path.exists() and not fresh:
        print(f"The community is there: {path}")
        return
    generate(path, media_folder())
    print(f"Made the community: {path}, pictures in {media_folder()}")


if __name__ == "__main__":
    main()
