"""The model among the assets of the camera app, with the gallery that belongs to it."""

import shutil
from pathlib import Path

from export.gallery import write_gallery
from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest
from vvipe_tf.formats.atomic import atomic_path

ANDROID_ASSETS = Path(__file__).resolve().parents[1] / "android_demo" / "app" / "src" / "main" / "assets"
# The smallest and the fastest on a processor, where the app runs it.
ANDROID_VARIANT = "dynamic_range"


def write_model_assets(model_file: Path, folder: Path) -> int:
    """Copies a model and its model.json into a folder and writes its gallery there.

    Other files of that model.json are removed from the folder: the app opens the first that it finds.

    Args:
        model_file: A file of `ANDROID_VARIANT` with its model.json beside it.
        folder: Folder; made if there is none.

    Returns:
        Number of poses in the gallery.

    Raises:
        FileNotFoundError: If the model or its model.json is missing.
        ValueError: If the model is refused.
    """
    poses = write_gallery(model_file, folder / "gallery.json")
    for source in (model_file, model_file.with_name(MANIFEST_FILE)):
        with atomic_path(folder / source.name) as temporary:
            shutil.copyfile(source, temporary)
    if folder.resolve() != model_file.parent.resolve():
        for name in set(LiteManifest.read(model_file.with_name(MANIFEST_FILE)).hashes) - {model_file.name}:
            (folder / name).unlink(missing_ok=True)
    return poses
