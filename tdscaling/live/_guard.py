"""A child process that tidies up after its parent, however that ends.

Enters: lines on stdin, `+ GROUP FOLDER` and `- GROUP FOLDER`. Leaves: nothing; once stdin closes,
which even a killed parent brings about, the process groups that were not taken back are killed and
their folders removed. It is run as a script on its own, so it imports nothing of this package.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys


def main() -> None:
    """Watch until the parent is gone."""
    left: dict[tuple[str, str], None] = {}
    for line in sys.stdin:
        sign, group, folder = line.rstrip("\n").split(" ", 2)
        if sign == "+":
            left[group, folder] = None
        else:
            left.pop((group, folder), None)
    for group, folder in left:
        if int(group):
            with contextlib.suppress(OSError):
                os.killpg(int(group), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
