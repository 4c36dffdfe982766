"""`tick openapi`: the description of the JSON API, for programs."""

import runpy

import click


@click.command()
def openapi() -> None:
    """Print the JSON API's OpenAPI 3.1 document."""
    # By name, as `tick up` starts the console: this package knows nothing of the other.
    runpy.run_module("webapp.openapi", run_name="__main__")
