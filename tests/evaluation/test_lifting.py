"""Lifting errors by hand and against a loop."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vvipe_tf.evaluation.lifting import evaluate_lifting
from vvipe_tf.geometry.pose_error import mpjpe, n_mpjpe, p_mpjpe


def test_errors_of_shifted_poses_by_hand():
    """Two poses with torsos of 400 and 600 mm; camera 0 is exact, camera 1 shifts every joint by 0.3 torso units.

    camera 1: MPJPE 0.3 torso units = (120 + 180) / 2 = 150 mm; Procrustes undoes the shift.
    PCK@150: 120 is within, 180 not: 50 %. AUC over 0, 5, ..., 150: 120 is within at 7 of 31 thresholds (120 ... 150):
    half of 7 / 31.
    """
    truth = np.random.default_rng(0).normal(size=(2, 13, 3))
    # A shift by 0.3 less a hair, so that 120 mm is not on the edge of a threshold.
    predicted = np.stack([truth, truth + [0.0, 0.3 - 1e-9, 0.0]])
    result = evaluate_lifting(predicted, truth, np.array([400.0, 600.0]), ("front", "back"))
    exact, shifted = result.cameras
    np.testing.assert_allclose([exact.mpjpe, exact.mpjpe_mm, exact.p_mpjpe_mm], 0, atol=1e-6)
    np.testing.assert_allclose([exact.pck_150mm], 1)
    np.testing.assert_allclose([shifted.mpjpe, shifted.mpjpe_mm], [0.3, 150], atol=1e-6)
    np.testing.assert_allclose([shifted.p_mpjpe, shifted.p_mpjpe_mm], 0, atol=1e-6)
    np.testing.assert_allclose([shifted.pck_150mm, shifted.auc_150mm], [0.5, 0.5 * 7 / 31])
    np.testing.assert_allclose([result.mean.mpjpe_mm, result.mean.pck_150mm], [75, 0.75], atol=1e-6)


def test_alignments_forgive_what_they_should():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(5, 13, 3))
    larger, turned = 1.4 * truth, truth @ Rotation.random(random_state=2).as_matrix()
    scale, turn = evaluate_lifting(np.stack([larger, turned]), truth, np.full(5, 490.0)).cameras
    assert scale.mpjpe > 0.3
    assert scale.n_mpjpe < 1e-9
    assert turn.n_mpjpe > 0.3
    assert turn.p_mpjpe < 1e-9


def test_millimetres_are_taken_pose_by_pose():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(7, 13, 3))
    predicted = truth + 0.2 * rng.normal(size=(3, 7, 13, 3))
    lengths = rng.uniform(300, 700, 7)
    result = evaluate_lifting(predicted, truth, lengths)
    assert result.camera_names == ("0", "1", "2")
    for camera, errors in enumerate(result.cameras):
        for measure in (mpjpe, n_mpjpe, p_mpjpe):
            each = [float(measure(predicted[camera, i], truth[i])) for i in range(7)]
            np.testing.assert_allclose(getattr(errors, measure.__name__), np.mean(each))
            np.testing.assert_allclose(getattr(errors, f"{measure.__name__}_mm"), np.mean(each * lengths))
        distances = np.linalg.norm(predicted[camera] - truth, axis=-1) * lengths[:, None]
        np.testing.assert_allclose(errors.pck_150mm, np.mean(distances <= 150))
        np.testing.assert_allclose(errors.auc_150mm, np.mean([np.mean(distances <= t) for t in range(0, 151, 5)]))
    content = json.loads(json.dumps(result.to_dict()))
    assert content["mean"]["mpjpe_mm"] == np.mean([camera["mpjpe_mm"] for camera in content["cameras"]])


@pytest.mark.parametrize(
    ("predicted", "truth", "lengths", "names", "message"),
    [
        ((2, 5, 13, 3), (4, 13, 3), 4, None, r"shapes=\(2, 5, 13, 3\), \(4, 13, 3\)"),
        ((5, 13, 3), (5, 13, 3), 5, None, r"predicted poses of shape \(cameras, N, joints, 3\)"),
        ((2, 5, 13, 3), (5, 13, 3), 6, None, r"one torso length per pose, shape \(5,\). Received: shape=\(6,\)"),
        ((2, 5, 13, 3), (5, 13, 3), 5, ("a", "b", "c"), "Expected 2 camera names. Received: 3"),
        ((0, 5, 13, 3), (5, 13, 3), 5, None, "Expected poses and cameras"),
    ],
)
def test_input_that_does_not_fit_is_refused(predicted, truth, lengths, names, message):
    with pytest.raises(ValueError, match=message):
        evaluate_lifting(np.ones(predicted), np.ones(truth), np.ones(lengths), names)
