"""Runs the attacks as a user without rights: `python -m tests.sandbox.unprivileged CACHE`.

Started as root it becomes user 65533 first. All modules are loaded before that, since that user
may not be able to read where they lie. Prints what the probe saw, then what went wrong.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 loaded now, see above
import json
import os
import sys
from pathlib import Path

from tdscaling.sandbox import _bootstrap, _filters, _image
from tests.sandbox.parts import bubblewrap_sandbox, survivors

USER = 65533


def main() -> None:
    cache = Path(sys.argv[1])
    _image.build(cache)
    _bootstrap.program()
    _filters.program()
    sandbox = bubblewrap_sandbox(cache, pool=1)
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
    try:
        seen = {finding.limit: finding.enforced for finding in sandbox.probe()}
        told = {"uid": os.getuid(), "probe": seen, "amiss": survivors(sandbox)}
    finally:
        sandbox.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
