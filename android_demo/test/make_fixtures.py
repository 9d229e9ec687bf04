"""Prepares what the Kotlin tests read; called by `run` beside it, which puts the project on the path.

Golden vectors of the shipped models and of a small float32 one, numbers of the Python code that the Kotlin code
must repeat, MoveNet, and photos. Downloads go to DIR/downloads and are kept; what cannot be fetched is named in
DIR/skipped.txt, and the tests that need it are skipped.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from export.gallery import write_gallery
from export.golden import write_golden
from export.movenet import MODEL_FILE, convert_graph, fetch_package, read_package, write_detector
from vvipe_tf.apps.pretrained_model import pretrained_file, pretrained_folder
from vvipe_tf.apps.smoothing import one_euro
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.geometry.alignment import apply_similarity, procrustes
from vvipe_tf.geometry.camera import project_view, view_rotation
from vvipe_tf.keypoints import COCO_13

PHOTO_WHEELS = {"pose2sim==0.6.0": "pose2sim-0.6.0-*.whl", "scikit-image==0.25.2": "scikit_image-0.25.2-*.whl"}
VIDEO_DECODER = "av==14.2.0"
# Frames of Pose2Sim's demo (BSD-3-Clause): a man with his arms spread, from two sides, and on one leg.
_DEMO = "Pose2Sim/Demo/S00_Demo_Session/S00_P00_Participant/S00_P00_{trial}/videos/{camera}.mp4"
VIDEO_FRAMES = {
    "spread_arms_from_behind.png": (_DEMO.format(trial="T00_StaticTrial", camera="cam02"), 5),
    "spread_arms_from_in_front.png": (_DEMO.format(trial="T00_StaticTrial", camera="cam04"), 5),
    "on_one_leg.png": (_DEMO.format(trial="T01_BalancingTrial", camera="cam02"), 50),
}
# Eileen Collins, NASA, public domain: a person to the waist.
ASTRONAUT = ("skimage/data/astronaut.png", "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5")


def main():
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=Path, help="folder for the fixtures")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    skipped = []
    for variant in ("float16", "dynamic_range"):
        make_shipped(folder / variant, variant)
    make_float32(folder / "float32")
    numbers = {"one_euro": smooth_motion(), "camera": project_points(), "similarity": compare_poses()}
    (folder / "python.json").write_text(json.dumps(numbers))
    for prepare in (make_movenet, make_photos):
        try:
            prepare(folder)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            skipped.append(f"{prepare.__name__}: {' '.join(str(error).split())}")
    (folder / "skipped.txt").write_text("\n".join(skipped))
    print("\n".join(f"not prepared, {reason}" for reason in skipped) or "all fixtures prepared")


def make_shipped(folder, variant):
    """A shipped model with its model.json, golden vectors and gallery."""
    folder.mkdir(exist_ok=True)
    model = pretrained_file(variant)
    for source in (model, pretrained_folder() / "model.json"):
        shutil.copy(source, folder)
    write_golden(folder / model.name, folder / "golden.json")
    write_gallery(folder / model.name, folder / "gallery.json")


def make_float32(folder):
    """A float32 export of small untrained networks, with its golden vectors."""
    from small_models import build_small_models

    shutil.rmtree(folder, ignore_errors=True)
    _, model = build_small_models(folder / "made")
    for source in (model, model.with_name("model.json")):
        shutil.copy(source, folder)
    write_golden(folder / model.name, folder / "golden.json")


def make_movenet(folder):
    """MoveNet, converted from the npm package."""
    downloads = folder / "downloads"
    downloads.mkdir(exist_ok=True)
    package = next(downloads.glob("vladmandic-human-*.tgz"), None) or fetch_package(str(downloads))
    write_detector(convert_graph(*read_package(package.read_bytes())), str(folder / "movenet"))


def make_photos(folder):
    """Photos of people with free licences, and what Python and MoveNet make of one."""
    downloads = folder / "downloads"
    downloads.mkdir(exist_ok=True)
    wheels = [fetch_wheel(requirement, pattern, downloads) for requirement, pattern in PHOTO_WHEELS.items()]
    with zipfile.ZipFile(wheels[0]) as wheel:
        for name, (video, frame) in VIDEO_FRAMES.items():
            image = read_frame(Path(wheel.extract(video, downloads)), frame, downloads)
            image.resize((image.width // 2, image.height // 2)).save(folder / name)
    with zipfile.ZipFile(wheels[1]) as wheel:
        content = wheel.read(ASTRONAUT[0])
    found = hashlib.sha256(content).hexdigest()
    if found != ASTRONAUT[1]:
        raise ValueError(f"Expected {ASTRONAUT[0]} with the SHA-256 {ASTRONAUT[1]}. Received: {found}")
    (folder / "astronaut.png").write_bytes(content)
    if (folder / "movenet").exists():
        (folder / "detected.json").write_text(json.dumps(detect_in_photo(folder, next(iter(VIDEO_FRAMES)))))


def fetch_wheel(requirement, pattern, downloads):
    """Fetches a wheel with pip, once; returns its file."""
    if not list(downloads.glob(pattern)):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(downloads), requirement], check=True)
    return next(downloads.glob(pattern))


def read_frame(video, number, downloads):
    """A frame of a video as a Pillow image."""
    site = downloads / "site"
    if not site.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site)]
        subprocess.run([*pip, VIDEO_DECODER], check=True)
    sys.path.insert(0, str(site))
    import av

    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_image()
    raise ValueError(f"Expected {number + 1} frames in {video}. Received: fewer")


def detect_in_photo(folder, name):
    """The whole of a photo as MoveNet's input by NumPy, and the keypoints that it gives in Python."""
    from ai_edge_litert.interpreter import Interpreter
    from PIL import Image

    photo = np.asarray(Image.open(folder / name).convert("RGB"), np.float64)
    picture = np.rint(sample_square(photo, 192)).astype(np.int32)
    interpreter = Interpreter(str(folder / "movenet" / MODEL_FILE), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None])
    interpreter.invoke()
    keypoints = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return {"photo": name, "picture": picture.tolist(), "keypoints": keypoints.reshape(17, 3).tolist()}


def sample_square(photo, size):
    """The smallest square around a photo (height, width, 3), `size` pixels wide, bilinear, black past the edges."""
    height, width = photo.shape[:2]
    side = max(height, width)
    step = side / size
    result = np.zeros((size, size, 3))
    x = (width - side) / 2 + (np.arange(size) + 0.5) * step - 0.5
    y = (height - side) / 2 + (np.arange(size) + 0.5) * step - 0.5
    inside_x, inside_y = (x >= -0.5) & (x < width - 0.5), (y >= -0.5) & (y < height - 0.5)
    x, y = np.clip(x[inside_x], 0, width - 1), np.clip(y[inside_y], 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[None, :, None], (y - top)[:, None, None]
    upper = photo[top][:, left] * (1 - across) + photo[top][:, right] * across
    lower = photo[bottom][:, left] * (1 - across) + photo[bottom][:, right] * across
    result[np.ix_(inside_y, inside_x)] = upper * (1 - down) + lower * down
    return result


def smooth_motion():
    """A motion with noise, before and after the One-Euro filter."""
    random = np.random.default_rng(1)
    fps, frames = 25.0, np.array([0, 1, 2, 4, 5, 6, 9, *range(10, 40)])
    motion = np.sin(0.2 * frames)[:, None, None] + random.normal(0, 0.02, (len(frames), 13, 3))
    motion = motion.astype(np.float32)
    return {
        "seconds": (frames / fps).tolist(),
        "motion": motion.tolist(),
        "smoothed": one_euro(motion, frames, fps).tolist(),
    }


def project_points():
    """Points seen by cameras around them, at a distance of 7."""
    random = np.random.default_rng(2)
    angles = np.radians([[0.0, 0.0], [150.0, 14.0], [250.0, -40.0], [330.0, 84.0]])
    points = random.uniform(-1.5, 1.5, (9, 3))
    seen = [project_view(points, view_rotation(azimuth, elevation, 0.0), 7.0) for azimuth, elevation in angles]
    return {"angles": angles.tolist(), "points": points.tolist(), "seen": np.stack(seen).tolist()}


def compare_poses():
    """Pairs of poses, some alike, and their errors after similarity alignment."""
    random = np.random.default_rng(3)
    poses = generate_synthetic(num_poses=160, seed=3, num_subjects=1).canonical(COCO_13)
    source, target = poses[random.permutation(160)[:40]], poses[random.permutation(160)[:40]]
    target[::2] = source[::2] + random.normal(0, 0.15, source[::2].shape)
    source, target = source.astype(np.float32), target.astype(np.float32)
    aligned = apply_similarity(source, procrustes(source, target))
    errors = np.linalg.norm(aligned - target, axis=-1).mean(axis=-1)
    return {"source": source.tolist(), "target": target.tolist(), "errors": errors.tolist()}


if __name__ == "__main__":
    main()
