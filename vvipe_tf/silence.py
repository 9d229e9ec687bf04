"""Keeps the start of TensorFlow out of the user's terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced_start() -> Iterator[None]:
    """Sends what native code writes to stderr nowhere for the length of a block; Python's errors still come through.

    TensorFlow prints several lines at import whatever its log level.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
        if "tensorflow" in sys.modules:
            # The search for a GPU has its say too; it is made once, so it is made here.
            sys.modules["tensorflow"].config.list_physical_devices()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
