"""Recorded views: selections, joins, round trips, and files that are not what they should be."""

import json

import numpy as np
import pytest

from tests.filmed_poses import make_views
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.keypoints import COCO_13, OPENPOSE_BODY_25


@pytest.fixture(scope="module")
def views():
    views = make_views()
    truth = views.of_kind("ground_truth")
    detected = RecordedKeypoints(truth.keypoints_2d + 3, truth.scores * 0.5)
    hidden = np.random.default_rng(1).random(truth.scores.shape) < 0.2
    return views.with_kind("alphapose", detected.keep(~hidden))


def assert_equal(first, second):
    assert (first.cameras, list(first.keypoints)) == (second.cameras, list(second.keypoints))
    np.testing.assert_array_equal(first.poses.poses, second.poses.poses)
    for kind in first.keypoints:
        np.testing.assert_array_equal(first.of_kind(kind).keypoints_2d, second.of_kind(kind).keypoints_2d)
        np.testing.assert_array_equal(first.of_kind(kind).scores, second.of_kind(kind).scores)


def test_saved_views_are_loaded_bit_for_bit_and_are_a_data_set_of_poses_too(views, tmp_path):
    path = tmp_path / "some.views.npz"
    views.save(path)
    assert_equal(ViewSet.load(path), views)
    np.testing.assert_array_equal(PoseDataset.load(path).poses, views.poses.poses)


def test_frames_and_cameras_are_selected_together_with_their_keypoints(views):
    few = views.select(np.array([41, 5])).select_cameras(["right", "left"])
    assert few.poses.frame.tolist() == views.poses.frame[[41, 5]].tolist()
    expected = views.of_kind("alphapose").keypoints_2d[[2, 0]][:, [41, 5]]
    np.testing.assert_array_equal(few.of_kind("alphapose").keypoints_2d, expected)
    mask = np.arange(70) % 9 == 2
    assert_equal(views.select(mask), views.select(np.flatnonzero(mask)))
    assert len(views.select([])) == 0


def test_views_that_are_not_kept_have_no_joint(views):
    kept = np.random.default_rng(2).random((3, 70)) < 0.5
    for kind, recorded in views.keep_views(kept).keypoints.items():
        np.testing.assert_array_equal(recorded.visible, views.of_kind(kind).visible & kept[..., None])
        assert not recorded.keypoints_2d[~kept].any()


def test_views_follow_the_poses_of_a_split(views):
    part = views.poses.select(np.random.default_rng(3).permutation(70)[:11])
    assert_equal(views.of_poses(part), views.select(views_rows(views, part)))
    with pytest.raises(ValueError, match="11 of 12 that have none"):
        views.select(np.array([7, *range(20, 70)])).of_poses(views.poses.select(np.arange(12)))


def views_rows(views, part):
    def keys(poses):
        return list(zip(poses.subject.tolist(), poses.sequence.tolist(), poses.frame.tolist(), strict=True))

    return np.array([keys(views.poses).index(key) for key in keys(part)])


def test_what_one_part_lacks_is_missing_in_the_whole(views):
    first = views.select(np.arange(30)).select_cameras(["front", "left"])
    second = views.select(np.arange(30, 70))
    second = ViewSet(second.poses, second.cameras, {"openpose": second.of_kind("alphapose")})
    whole = ViewSet.concatenate([first, second])
    assert whole.cameras == ("front", "left", "right")
    assert list(whole.keypoints) == ["ground_truth", "alphapose", "openpose"]
    assert not whole.of_kind("openpose").visible[:, :30].any()
    assert not whole.of_kind("ground_truth").visible[:, 30:].any()
    assert not whole.of_kind("alphapose").visible[2].any()
    np.testing.assert_array_equal(whole.of_kind("openpose").scores[1, 30:], views.of_kind("alphapose").scores[0, 30:])


def test_joints_are_mapped_by_name_and_a_derived_one_needs_both_parents():
    points = np.random.default_rng(4).uniform(10, 900, (2, 3, 25, 2))
    scores = np.full((2, 3, 25), 0.9)
    wrist = OPENPOSE_BODY_25.index("left_wrist")
    points[1, 2, wrist] = np.nan
    scores[0, 0, OPENPOSE_BODY_25.index("nose")] = 0
    recorded = RecordedKeypoints.from_joints(points, scores, OPENPOSE_BODY_25)
    np.testing.assert_allclose(recorded.keypoints_2d[0, 1, COCO_13.index("left_wrist")], points[0, 1, wrist], rtol=1e-6)
    missing = np.argwhere(~recorded.visible).tolist()
    assert missing == [[0, 0, COCO_13.index("nose")], [1, 2, COCO_13.index("left_wrist")]]
    assert not recorded.keypoints_2d[~recorded.visible].any()


def test_a_view_is_usable_with_hips_a_shoulder_and_six_joints(views):
    truth = views.of_kind("ground_truth")
    without = truth.scores.copy()
    without[0, 7, COCO_13.index("left_hip")] = 0
    without[1, 8, COCO_13.index("nose")] = 0
    recorded = truth.keep(without > 0)
    assert np.argwhere(~recorded.usable()).tolist() == [[0, 7]]
    assert np.argwhere(~recorded.usable(all_joints=True)).tolist() == [[0, 7], [1, 8]]


def test_what_does_not_fit_is_refused(views):
    truth = views.of_kind("ground_truth")
    with pytest.raises(ValueError, match="kind other than ground_truth, alphapose. Received: 'alphapose'"):
        views.with_kind("alphapose", truth)
    with pytest.raises(ValueError, match="keypoints among ground_truth, alphapose. Received: 'cpn'"):
        views.of_kind("cpn")
    with pytest.raises(ValueError, match="cameras among left, front, right. Received: top"):
        views.select_cameras(["top"])
    with pytest.raises(ValueError, match="distinct camera names"):
        ViewSet(views.poses, ("a", "a", "b"), views.keypoints)
    with pytest.raises(ValueError, match="3 cameras and 69 poses"):
        ViewSet(views.poses.select(np.arange(69)), views.cameras, views.keypoints)
    with pytest.raises(ValueError, match=r"scores in \[0, 1\]"):
        RecordedKeypoints(truth.keypoints_2d, truth.scores * 2)
    with pytest.raises(ValueError, match="at 0 where a joint is missing"):
        RecordedKeypoints(truth.keypoints_2d, truth.scores * 0)
    with pytest.raises(ValueError, match="finite keypoints"):
        RecordedKeypoints(truth.keypoints_2d * np.nan, truth.scores)


def rewritten(path, **replaced):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files} | replaced
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"views": np.array("{}")}, "vvipe-views of version 1"),
        ({"views": np.array("{")}, "other.views.npz"),
        ({"views": np.array(1)}, "one string"),
        ({"cameras": np.array([1, 2, 3])}, "cameras as strings"),
        ({"cameras": np.array(["a", "b"])}, "2 cameras and 70 poses"),
        ({"keypoints_1": None}, "keypoints_1 and scores_1"),
        ({"scores_0": np.ones((3, 70, 13))}, "keypoints_0 and scores_0 of float32"),
        ({"scores_0": np.full((3, 70, 13), np.nan, np.float32)}, r"scores in \[0, 1\]"),
        ({"poses": None}, r"without \['poses'\]"),
        ({"cameras": np.array(["a", None, "b"], dtype=object)}, "allow_pickle"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named_in_one_error(views, tmp_path, replaced, message):
    path = tmp_path / "other.views.npz"
    views.save(path)
    rewritten(path, **replaced)
    with pytest.raises(ValueError, match=message) as error:
        ViewSet.load(path)
    assert "other.views.npz" in str(error.value)


def test_kinds_and_torsos_of_a_file_are_checked(views, tmp_path):
    path = tmp_path / "other.views.npz"
    views.save(path)
    with np.load(path) as archive:
        about, poses = json.loads(archive["views"].item()), archive["poses"]
    rewritten(path, views=np.array(json.dumps(about | {"kinds": ["a", "a"]})))
    with pytest.raises(ValueError, match="distinct kinds"):
        ViewSet.load(path)
    rewritten(path, views=np.array(json.dumps(about)), poses=poses * 2)
    with pytest.raises(ValueError, match="torso units"):
        ViewSet.load(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="other.views.npz"):
        ViewSet.load(path)
    with pytest.raises(FileNotFoundError, match="absent.views.npz"):
        ViewSet.load(tmp_path / "absent.views.npz")
    with pytest.raises(ValueError, match="ends in .views.npz"):
        views.save(tmp_path / "some.poses.npz")
