"""Two people, or one person twice, compared moment by moment, whatever camera saw them."""

from typing import NamedTuple

import numpy as np

from vvipe_tf.apps.sequence_alignment import Alignment, align_sequences
from vvipe_tf.apps.similarity_scale import SimilarityScale
from vvipe_tf.geometry.alignment import apply_similarity, procrustes
from vvipe_tf.geometry.pose_error import paired_p_mpjpe
from vvipe_tf.keypoints import COCO_13

# One motion: this score, and a path that bends less than this share of the second clip. See DESIGN.md for how often
# that is right.
SAME_SCORE = 60.0
DIFFERENT_SCORE = 30.0
_LARGEST_BEND = 0.1
_LARGEST_RATE = 3.0
# Lags up to this share of the shorter clip count as none.
_TIMING_TOLERANCE = 0.05
_LEAST_TOLERANCE = 2.0
_QUANTILE = 90
# Share of `SimilarityScale.same` that a step costs in which only one sequence goes on.
_WARP_SHARE = 0.5


class PoseTrack(NamedTuple):
    """One person over time, without the moments at which too little of them was seen.

    Args:
        frame: Frame numbers (n,), ascending, each once.
        embeddings: Embeddings (n, dim), finite.
        poses: Canonical poses COCO_13 (n, 13, 3).
        num_refused: Moments left out because they show too little of a body.
        num_missing: Frames between the first and the last without any detection.
    """

    frame: np.ndarray
    embeddings: np.ndarray
    poses: np.ndarray
    num_refused: int = 0
    num_missing: int = 0


class Timing(NamedTuple):
    """How the second sequence runs against the first, in frames.

    Args:
        lag: Median of frame_b - frame_a along the path; above 0 the second one does it later.
        jitter: 90 % of the lags are this near to the median.
        rate: Frames that the second one takes for a frame of the first; 2 is half as fast.
        bend: 90 % of the path are this near to an even pace.
        steady: Whether path and pace are those of one motion, done twice.
        description: The same in words.
    """

    lag: float
    jitter: float
    rate: float
    bend: float
    steady: bool
    description: str


class Moment(NamedTuple):
    """A moment at which two sequences differ.

    Args:
        step: Step of the path.
        frame_a: Frame of the first sequence.
        frame_b: Frame of the second sequence.
        score: Similarity from 0 to 100.
        np_mpjpe: Mean joint distance after similarity alignment, torso units.
        joint: Joint that is farthest off.
        joint_error: How far, torso units.
    """

    step: int
    frame_a: int
    frame_b: int
    score: float
    np_mpjpe: float
    joint: str
    joint_error: float


class Comparison(NamedTuple):
    """What came out of a comparison.

    Args:
        alignment: Path, with the distance of the embeddings at each step.
        scores: Similarity (steps,) from 0 (chance) to 100 (one pose seen by two cameras).
        np_mpjpe: NP-MPJPE of the poses (steps,), torso units.
        score: Mean of the scores.
        timing: How the second sequence runs against the first.
        worst: Moments of least similarity, the worst first, apart in time.
        verdict: In words.
    """

    alignment: Alignment
    scores: np.ndarray
    np_mpjpe: np.ndarray
    score: float
    timing: Timing
    worst: tuple[Moment, ...]
    verdict: str


def compare_tracks(
    a: PoseTrack, b: PoseTrack, scale: SimilarityScale, match: str = "whole", num_worst: int = 3
) -> Comparison:
    """Compares two tracks.

    Args:
        a: First person.
        b: Second person; embeddings of the same model.
        scale: What distances are worth, from `measure_scale`.
        match: As for `align_sequences`.
        num_worst: Number of worst moments; fewer where the path is short.

    Returns:
        The comparison.

    Raises:
        ValueError: If a track is empty, a shape does not fit, `match` is unknown, or `num_worst` is below 0.
    """
    if num_worst < 0:
        raise ValueError(f"Expected a number of worst moments of at least 0. Received: {num_worst}")
    warp_cost = _WARP_SHARE * scale.same
    alignment = align_sequences(a.embeddings, b.embeddings, match, a.frame, b.frame, warp_cost)
    scores = scale.score(alignment.distances)
    errors = paired_p_mpjpe(a.poses, alignment.rows_a, b.poses, alignment.rows_b)
    timing = measure_timing(a.frame[alignment.rows_a], b.frame[alignment.rows_b])
    worst = tuple(
        _moment(step, a, b, alignment, scores, errors) for step in worst_steps(alignment.distances, num_worst)
    )
    score = float(scores.mean())
    verdict = _verdict(score, timing)
    verdict = verdict if match == "whole" else f"where they meet {verdict}"
    return Comparison(alignment, scores, errors, score, timing, worst, verdict)


def worst_steps(distances: np.ndarray, count: int) -> list[int]:
    """Steps of the largest distances, the worst first, none within 1 / (2 count) of the path of another.

    Args:
        distances: Distance at each step (steps,).
        count: Number of steps wanted.

    Returns:
        At most `count` steps.
    """
    apart = max(1, len(distances) // (2 * max(count, 1)))
    left = np.array(distances, np.float64)
    chosen: list[int] = []
    while len(chosen) < count and np.isfinite(left).any():
        step = int(left.argmax())
        chosen.append(step)
        left[max(0, step - apart) : step + apart + 1] = -np.inf
    return chosen


def measure_timing(frame_a: np.ndarray, frame_b: np.ndarray) -> Timing:
    """Tells lag and pace from the frames along a path.

    Args:
        frame_a: Frames of the first sequence (steps,), never falling.
        frame_b: Frames of the second sequence (steps,), never falling.

    Returns:
        The timing; the rate is 1 where the first sequence is a single moment.
    """
    frame_a, frame_b = np.asarray(frame_a, np.float64), np.asarray(frame_b, np.float64)
    lags = frame_b - frame_a
    lag = float(np.median(lags))
    jitter = float(np.percentile(np.abs(lags - lag), _QUANTILE))
    rate = float(np.polyfit(frame_a, frame_b, 1)[0]) if np.ptp(frame_a) > 0 else 1.0
    bend = frame_b - rate * frame_a
    bend = float(np.percentile(np.abs(bend - np.median(bend)), _QUANTILE))
    tolerance = max(_LEAST_TOLERANCE, _TIMING_TOLERANCE * min(np.ptp(frame_a), np.ptp(frame_b)))
    allowed = max(_LEAST_TOLERANCE, _LARGEST_BEND * np.ptp(frame_b))
    steady = bool(bend <= allowed and 1 / _LARGEST_RATE <= rate <= _LARGEST_RATE)
    if jitter <= tolerance:
        later = "later" if lag > 0 else "earlier"
        words = "in step" if abs(lag) <= tolerance else f"the second {abs(lag):.0f} frames {later}"
    else:
        words = f"the second at {1 / rate:.2f} times the pace" if steady else "at a changing pace"
    return Timing(lag, jitter, rate, bend, steady, words)


def _verdict(score: float, timing: Timing) -> str:
    if score >= SAME_SCORE and timing.steady:
        return f"the same motion, {timing.description}"
    if score >= DIFFERENT_SCORE:
        return f"alike in part, {timing.description}"
    return "different motions"


def _moment(step, a, b, alignment, scores, errors) -> Moment:
    row_a, row_b = alignment.rows_a[step], alignment.rows_b[step]
    aligned = apply_similarity(a.poses[row_a], procrustes(a.poses[row_a], b.poses[row_b]))
    off = np.linalg.norm(aligned - b.poses[row_b], axis=-1)
    joint = int(off.argmax())
    return Moment(
        step,
        int(a.frame[row_a]),
        int(b.frame[row_b]),
        float(scores[step]),
        float(errors[step]),
        COCO_13.keypoint_names[joint],
        float(off[joint]),
    )
