"""Where the model is that comes with the package."""

from importlib import resources
from pathlib import Path

from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest

FOLDER = "pretrained"
# First what suits a computer best: dynamic_range takes a third of the time of the others, and its poses lie 2 mm from
# those of float32, where the error of a pose is some 60 mm.
_PREFERENCE = ("dynamic_range", "float16", "float32", "int16x8", "int8", "compact")


def pretrained_folder() -> Path:
    """Folder of the model that comes with the package; it may not be there."""
    return Path(str(resources.files("vvipe_tf"))) / FOLDER


def pretrained_file(variant: str | None = None, folder: Path | None = None) -> Path:
    """File of a variant.

    Args:
        variant: `"dynamic_range"`, `"float16"`, `"float32"`, `"int16x8"`, `"int8"` or `"compact"`; None for the first
            of these that is there.
        folder: Folder with a model.json; that of the package by default.

    Raises:
        FileNotFoundError: If there is no model, or not that variant.
        ValueError: If the model.json is damaged.
    """
    folder = pretrained_folder() if folder is None else folder
    if not (folder / MANIFEST_FILE).is_file():
        raise FileNotFoundError(
            f"Expected a pretrained model in {folder}. Received: none; this copy of the package came without. "
            "Name a model of your own: PoseEmbedder.from_tflite(file) or from_run(folder), --model on the command line"
        )
    manifest = LiteManifest.read(folder / MANIFEST_FILE)
    files = manifest.content["files"]
    # Files for single poses only are left to phones; those with an origin of their own are smaller models.
    variants = {
        "compact" if "model" in files[name] else files[name].get("variant"): name
        for name in manifest.hashes
        if files[name].get("batch", "any") == "any"
    }
    there = [name for name in _PREFERENCE if name in variants and (folder / variants[name]).is_file()]
    if not there or variant not in (None, *there):
        wanted = "a model file" if variant is None else f"variant {variant!r}"
        raise FileNotFoundError(f"Expected {wanted} in {folder}. Received: {', '.join(there) or 'none'}")
    return folder / variants[variant or there[0]]
