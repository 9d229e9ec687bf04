"""Videos, by the ffmpeg that comes with imageio-ffmpeg; in a process of its own, which a damaged file cannot leave."""

import os
import re
import subprocess
import tempfile
import weakref
from collections.abc import Iterable
from itertools import chain

import numpy as np

from vvipe_tf.formats.atomic import atomic_path

_RATE = re.compile(r"Stream #.*Video:.*?([\d.]+) (?:fps|tbr)")


class VideoReader:
    """Frames of a video one after the other, upright as its metadata says.

    Args:
        path: The video.

    Raises:
        ValueError: If it is no video.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = os.path.abspath(path)
        said = subprocess.run(
            [_ffmpeg(), "-hide_banner", "-i", self._path], stdin=subprocess.DEVNULL, capture_output=True, check=False
        ).stderr.decode(errors="replace")
        rate = _RATE.search(said)
        self.fps = float(rate[1]) if rate and float(rate[1]) > 0 else None
        self._start()
        first = self.next_frame()
        if first is None:
            raise ValueError(f"{path}: expected a video. Received: no frame that can be read")
        self.size = first.shape[1], first.shape[0]
        self.restart()

    def restart(self) -> None:
        """Goes back to the first frame."""
        self._stop()
        self._start()

    def next_frame(self) -> np.ndarray | None:
        """The next frame (height, width, 3) uint8; None behind the last."""
        pipe = self._process.stdout
        header = [pipe.readline() for _ in range(3)]
        if header[0] != b"P6\n":
            return None
        width, height = map(int, header[1].split())
        pixels = pipe.read(3 * width * height)
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3) if len(pixels) == 3 * width * height else None

    def _start(self) -> None:
        # As many frames out as there are in the file, whatever its clock says.
        command = [_ffmpeg(), "-loglevel", "quiet", "-i", self._path, "-map", "0:v:0", "-fps_mode", "passthrough"]
        self._process = subprocess.Popen(
            [*command, "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        self._stop = weakref.finalize(self, _end, self._process)


def write_mp4(path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float) -> None:
    """Writes an MP4 (H.264, which every browser plays), whole or not at all.

    Args:
        path: File to write.
        frames: Pictures (height, width, 3) uint8 of one size, both sides even.
        fps: Frames per second.

    Raises:
        ValueError: If there is no picture.
        RuntimeError: If the encoder fails; its own words are told.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("Expected at least one picture. Received: none")
    size = f"{first.shape[1]}x{first.shape[0]}"
    with atomic_path(path) as temporary, tempfile.TemporaryFile() as log:
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", repr(float(fps)), "-i", "-"]
        target = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "+faststart"]
        encoder = subprocess.Popen(
            [_ffmpeg(), "-loglevel", "error", "-y", *source, *target, os.path.abspath(temporary)],
            stdin=subprocess.PIPE,
            stderr=log,
        )
        try:
            for frame in chain([first], frames):
                encoder.stdin.write(np.ascontiguousarray(frame))
            encoder.stdin.close()
            encoder.wait()
        except BrokenPipeError:
            encoder.wait()
        finally:
            _end(encoder)
        if encoder.returncode:
            log.seek(0)
            raise RuntimeError(f"{path}: the encoder failed: {log.read().decode(errors='replace').strip()}")


def _ffmpeg() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe

    return get_ffmpeg_exe()


def _end(process: subprocess.Popen) -> None:
    """Ends a process if it still runs, and closes its pipes."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # What was still to be written is not wanted any more.
    process.wait()
