"""V-VIPE: variational view-invariant pose embedding."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder

__all__ = ["PoseEmbedder"]


def __getattr__(name: str):
    # Imported when asked for: `python -m vvipe_tf --help` needs neither NumPy nor a model.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vvipe_tf.apps import embedder

    return getattr(embedder, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
