"""The figures command on a run folder."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from training.figures import choose_split, main, write_figures
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.run_folder import Networks, load_run, save_run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "people.poses.npz"
    generate_synthetic(num_poses=330, seed=3, num_subjects=3).save(path)
    return path


@pytest.fixture
def run_dir(tmp_path, data):
    """A run folder with weights that were never trained."""
    config = NetworkConfig(embedding_dim=5, width=24, num_blocks=1)
    save_run(tmp_path / "run", Networks.build(config), config, {"data": {"data": str(data)}})
    return tmp_path / "run"


def test_all_figures_are_drawn_into_the_run_folder_and_their_paths_printed(run_dir, capsys):
    assert main(["--run-dir", str(run_dir)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert paths == [run_dir / "figures" / f"figure_{number}.png" for number in (5, 6, 7, 8)]
    assert sorted(path.name for path in (run_dir / "figures").iterdir()) == [path.name for path in paths]
    for path in paths:
        with Image.open(path) as image:
            image.load()
            assert min(image.size) > 300


def test_only_the_figures_asked_for_are_drawn_and_twice_the_same(run_dir, capsys):
    contents = []
    for _ in range(2):
        assert main(["--run-dir", str(run_dir), "--figure", "7", "5", "--split", "train", "--seed", "4"]) == 0
        contents.append([path.read_bytes() for path in sorted((run_dir / "figures").iterdir())])
    assert len(contents[0]) == 2
    assert contents[0] == contents[1]
    assert main(["--run-dir", str(run_dir), "--figure", "7", "--split", "train", "--seed", "5"]) == 0
    assert (run_dir / "figures" / "figure_7.png").read_bytes() != contents[0][1]


def test_other_data_than_those_of_the_run_can_be_drawn(run_dir, data, tmp_path):
    moved = data.rename(tmp_path / "elsewhere.poses.npz")
    try:
        assert main(["--run-dir", str(run_dir), "--figure", "7", "--data", str(moved)]) == 0
    finally:
        moved.rename(data)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--split", "nowhere"], "error: Expected splits among train, validation, test. Received: nowhere\n"),
        (["--data", "nowhere.poses.npz"], "nowhere.poses.npz"),
    ],
)
def test_bad_input_ends_in_one_line(run_dir, capsys, flags, message):
    assert main(["--run-dir", str(run_dir), *flags]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not (run_dir / "figures").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert main(["--run-dir", str(tmp_path)]) == 2
    assert "Expected a run folder" in capsys.readouterr().err


def test_a_split_too_small_for_a_figure_is_refused(run_dir, tmp_path):
    few = generate_synthetic(num_poses=330, seed=3, num_subjects=3).select([1, 200])
    with pytest.raises(ValueError, match="Expected at least 4 poses to choose from. Received: 2"):
        write_figures(load_run(run_dir), few, tmp_path / "out", "two poses", [5])
    assert not (tmp_path / "out").exists()


def test_an_unknown_figure_is_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(ValueError, match=r"Expected figures among \(5, 6, 7, 8\). Received: \[3\]"):
        write_figures(None, None, tmp_path, "nothing", [7, 3])


def test_the_first_test_split_is_the_default():
    splits = dict.fromkeys(("train", "validation", "test_seen_lab", "stress"), "poses")
    assert choose_split(splits, None)[0] == "test_seen_lab"
    assert choose_split(splits, "validation")[0] == "validation"
    with pytest.raises(ValueError, match="name one with --split. Received: train, validation"):
        choose_split(dict.fromkeys(("train", "validation"), "poses"), None)


def test_help_does_not_wait_for_tensorflow_or_matplotlib():
    program = (
        "import sys\nfrom training.figures import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--split" in done.stdout
