"""The product's own tables (*.def), for tests that walk them: a new row is asked all of it at once."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[3]


def rows(table, *kinds):
    """[(kind, first argument)] of these rows of a table, as COMMAND(RETR, ...)."""
    text = re.sub(r"/\*.*?\*/", "", (TOP / table).read_text(), flags=re.S)
    return re.findall(rf"^({'|'.join(kinds)})\(([^,)]+)", text, re.M)


def verbs(*kinds):
    """Of the table of commands, in its order."""
    return [verb for _, verb in rows("gateway/commands.def", *kinds)]


def site_verbs():
    return [f"SITE {verb}" for _, verb in rows("gateway/site.def", "SITE")]
