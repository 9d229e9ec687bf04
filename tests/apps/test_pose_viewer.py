"""The 3D viewer: one HTML file, which asks nobody for anything."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.apps.scenes import waving_scene
from vvipe_tf.apps.pose_viewer import write_pose_viewer
from vvipe_tf.keypoints import COCO_13


class References(HTMLParser):
    """Everything that a page would load."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]


def write(path, scenes=None, frames=range(10, 15), **options):
    scenes = [waving_scene()] if scenes is None else scenes
    write_pose_viewer(path, scenes, list(frames), "Two <people>", "a & note", **options)
    return path.read_text(encoding="utf-8")


def arguments_of(page, call):
    """JSON arguments of a call in the page, one by one."""
    start = page.rindex(call) + len(call)
    decoder, values = json.JSONDecoder(), []
    while True:
        start = re.compile(r"[\s(,]*").match(page, start).end()
        if page[start] == ")":
            return values
        value, start = decoder.raw_decode(page, start)
        values.append(value)


def decoded(values):
    array = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return array.astype(np.float64)


def joints_of(traces):
    """Joints (people, joints, 3) of the marker traces."""
    return np.array([np.stack([decoded(t[a]) for a in "xyz"], 1) for t in traces if t["mode"] == "markers"])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write(tmp_path_factory.mktemp("viewer") / "poses.html", fps=20.0)


def test_the_page_loads_nothing_from_elsewhere(page):
    references = References()
    references.feed(page)
    assert references.found == []
    assert not {"link", "iframe", "img", "object", "embed"} & set(references.tags)
    assert "@import" not in page
    assert "plotly.js v" in page
    assert len(page) > 4_000_000


def test_text_of_the_user_is_text(page):
    assert "<h1>Two &lt;people&gt;</h1>" in page
    assert "a &amp; note" in page


def test_joints_are_at_their_places_beside_each_other(page):
    _, traces, layout, _ = arguments_of(page, "Plotly.newPlot")
    scene = waving_scene()
    joints = joints_of(traces)
    moved = joints - scene.poses[:2]
    np.testing.assert_allclose(moved - moved[:, :1], 0.0, atol=1e-5)
    # The wrists reach 0.54 far. The first is at the right of the people, which is the left of the picture.
    place = 1.15 * np.hypot(0.5, 0.2)
    np.testing.assert_allclose(moved[:, 0], [[0, place, 0], [0, -place, 0]], atol=1e-5)
    assert layout["scene"]["zaxis"]["title"]["text"] == "z, along the spine (torso lengths)"


def test_axes_have_one_scale(page):
    axes = arguments_of(page, "Plotly.newPlot")[2]["scene"]
    scales = [np.diff(axes[f"{name}axis"]["range"])[0] / axes["aspectratio"][name] for name in "xyz"]
    assert axes["aspectmode"] == "manual"
    np.testing.assert_allclose(scales, scales[0])


def test_each_frame_is_a_stop_of_the_slider_and_refused_poses_are_absent(page):
    layout = arguments_of(page, "Plotly.newPlot")[2]
    assert [step["label"] for step in layout["sliders"][0]["steps"]] == ["10", "11", "12", "13", "14"]
    assert layout["updatemenus"][0]["buttons"][0]["args"][1]["frame"]["duration"] == 50.0
    frames = arguments_of(page, "Plotly.addFrames('poses'")[0]
    assert [frame["name"] for frame in frames] == ["10", "11", "12", "13", "14"]
    refused = joints_of(frames[1]["data"])
    assert np.isfinite(refused[0]).all()
    assert np.isnan(refused[1]).all()
    assert np.isnan(np.concatenate([decoded(trace["x"]) for trace in frames[1]["data"][6:]])).all()
    wrist = [joints_of(frame["data"])[0, COCO_13.index("left_wrist"), 2] for frame in frames]
    np.testing.assert_allclose(np.diff(wrist), 0.2, atol=1e-5)


def test_guessed_joints_are_rings_with_dotted_bones(tmp_path):
    scene = waving_scene(1, (4,))
    seen = scene.seen.copy()
    seen[:, COCO_13.index("left_wrist")] = False
    page = write(tmp_path / "poses.html", [replace(scene, seen=seen)], [10])
    _, traces, layout, _ = arguments_of(page, "Plotly.newPlot")
    (joints,) = (trace for trace in traces if trace["mode"] == "markers")
    rings = [
        name
        for name, symbol in zip(COCO_13.keypoint_names, joints["marker"]["symbol"], strict=True)
        if symbol == "circle-open"
    ]
    assert rings == ["left_wrist"]
    assert joints["text"][COCO_13.index("left_wrist")] == "left wrist (a guess)"
    (dotted,) = (trace for trace in traces if trace.get("line", {}).get("dash") == "dot")
    forearm = np.stack([decoded(dotted[axis]) for axis in "xyz"], axis=1)[:2]
    expected = scene.poses[0, [COCO_13.index("left_elbow"), COCO_13.index("left_wrist")]]
    np.testing.assert_allclose(forearm, expected, atol=1e-6)
    assert "not seen, a guess" in page
    assert "sliders" not in layout


def test_people_in_a_world_stand_where_they_are(tmp_path):
    scene = waving_scene(1)
    poses = scene.poses + np.array([[2.0, 1.0, 0.9], [-3.0, 0.5, 0.9]])[:, None]
    world = replace(scene, poses=poses, coordinate_frame="world", unit="m")
    _, traces, layout, _ = arguments_of(write(tmp_path / "poses.html", [world], [10]), "Plotly.newPlot")
    np.testing.assert_allclose(joints_of(traces), poses, atol=1e-5)
    assert layout["scene"]["xaxis"]["title"]["text"] == "x (m)"


def test_inputs_that_do_not_fit_together_are_refused(tmp_path):
    other = replace(waving_scene(), coordinate_frame="camera")
    with pytest.raises(ValueError, match="Expected inputs of one coordinate frame"):
        write(tmp_path / "poses.html", [waving_scene(), other])
    nobody = replace(waving_scene(), poses=np.full((10, 13, 3), np.nan))
    with pytest.raises(ValueError, match="Expected at least one pose"):
        write(tmp_path / "poses.html", [nobody])
    assert not list(tmp_path.iterdir())
