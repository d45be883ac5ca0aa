"""The runner as one text, for `python3 -c`: an image needs nothing of ours in it.

Enters: the modules `_inside_*` of this folder, as text. Leaves: a program that makes modules of
them again and starts the runner.
"""

from __future__ import annotations

import functools
from pathlib import Path

MODULES = ("_inside_lock", "_inside_files", "_inside_clock", "_inside_children",
           "_inside_processes", "_inside_job", "_inside_runner")  # fmt: skip
"""In the order in which they import each other."""

FLAGS = ("-s", "-S", "-c")
"""No site, so that nothing of the image runs. Not `-I`, which would make hashes random."""

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": "",
    "PYTHONSTARTUP": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
}
"""Of PID 1, whose forks keep its hash seed."""

_PROGRAM = """\
import sys
sys.path[:] = [p for p in sys.path if p]
module = type(sys)
for name in ("tdscaling", "tdscaling.sandbox"):
    sys.modules[name] = module(name)
sources = {sources!r}
for name, source in sources.items():
    made = sys.modules["tdscaling.sandbox." + name] = module("tdscaling.sandbox." + name)
    setattr(sys.modules["tdscaling.sandbox"], name, made)
    exec(compile(source, "<" + name + ">", "exec"), made.__dict__)
made.main(sources["_inside_clock"])
"""


@functools.cache
def program() -> str:
    """The text to pass to a Python 3.9 or later with `FLAGS`."""
    folder = Path(__file__).parent
    sources = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    return _PROGRAM.format(sources=sources)
