"""One self-contained page out of data that nobody vouches for.

Enters: values for the template and data for the page's script. Leaves: HTML with no reference to
anything outside it. The data comes from tools, models and users, so it is escaped as HTML where
the template shows it, escaped as JSON where the script reads it, and the content security policy
admits exactly one style sheet and one script, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any

SCRIPTS = ("page.js", "conversation.js", "viewer.js", "graph.js", "steering.js")
"""Joined in this order into the one script: each uses what those before it define."""

ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def embed(data: object) -> str:
    """JSON that cannot end the element it lies in, open a comment or break a script."""
    # A lone surrogate can be in a model's words but not in a UTF-8 file: it becomes a `?`.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode().translate(ESCAPES)


def policy_hash(text: str) -> str:
    """The source expression that admits exactly this inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def render(values: dict[str, Any], data: object) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only when a page is written
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("tdscaling.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates = files("tdscaling.report") / "templates"
    style = (templates / "style.css").read_text("utf-8")
    parts = [(templates / name).read_text("utf-8") for name in SCRIPTS]
    script = '"use strict";\n{\n' + "\n".join(parts) + "}\n"
    # Markup: the product's own files, and JSON that `embed` made harmless.
    return environment.get_template("report.html.jinja").render(
        **values,
        style=Markup(style),
        style_hash=policy_hash(style),
        script=Markup(script),
        script_hash=policy_hash(script),
        data=Markup(embed(data)),
    )
