"""The process in which a local model runs.

Enters: what to serve, as JSON in the first argument. Leaves: its address as one line on standard
output, then answers over HTTP. It lives as long as its standard input is open: that ends with the
process that started this one, however that one ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import NoReturn

ERRORS_ONLY = 1
"""Verbosity of the library."""


def main(asked: str) -> NoReturn:
    """Serve until standard input ends."""
    wanted = json.loads(asked)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The library may print; standard output is for the address alone.
    answer = os.dup(1)
    os.dup2(2, 1)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = wanted["path"]
    params.port = 0  # the system chooses one that is free
    params.verbosity = ERRORS_ONLY
    params.n_parallel = wanted["slots"]
    params.n_ctx = wanted["slots"] * wanted["context"]
    params.fit_params = False  # else the library would make the context smaller without a word
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)
    os.write(answer, f"{server.listening_address}\n".encode())
    while True:
        threading.Event().wait()


def _end_with_parent() -> NoReturn:
    """Wait for the end of standard input: nobody writes to it."""
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
