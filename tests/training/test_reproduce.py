"""Tables of the paper: what is trained, what is trained again, and what is written."""

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from training import cells as module
from training.cells import check_budgets, plan_cells
from training.config import TrainConfig
from training.evaluate import FORMAT, VERSION
from training.measure_views import VERSION as VIEW_VERSION
from training.paper_tables import TABLES
from training.reproduce import main
from vvipe_tf.data.synthetic import generate_synthetic

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--width", "24", "--batch-size", "32", "--vae-steps", "10", "--mapping-steps", "10", "--validate-every", "10",
        "--gallery-size", "40"]  # fmt: skip
SHA = "c0ffee"


def entry_of(command, hit, split="test", **more):
    retrieval = {"H36M_17": {"hit_at_k": {"1": hit, "5": 0.9}, "comparisons": {"0->1": {"hit_at_k": {}}}}}
    rig = {
        "virtual": True,
        "model": retrieval,
        "keypoints_2d": {"H36M_17": {"hit_at_k": {"1": 0.25, "5": 0.5}}},
        "lifting": {"mean": {"mpjpe_mm": 100 * hit, "n_mpjpe_mm": 50.0, "p_mpjpe_mm": 40.0}},
    }
    entry = {"data": "few.poses.npz", "split": split, "synthetic": False, "gallery_size": 1234, "frames_sha256": SHA,
             "metrics": ["H36M_17"], "rigs": {"chest": rig}, "command": command, "lifting_frame": "canonical",
             "chance": {"H36M_17": {"hit_at_k": {"1": 0.01, "5": 0.05}}},
             "canonical_3d": {"H36M_17": {"hit_at_k": {"1": 0.99, "5": 1.0}}}}  # fmt: skip
    return entry | more


def write_results(cell, *entries):
    content = {f"few.poses.npz/{entry['split']}/{number}": entry for number, entry in enumerate(entries)}
    cell.run_dir.mkdir(parents=True, exist_ok=True)
    (cell.run_dir / "results.json").write_text(
        json.dumps({"format": FORMAT, "version": VERSION, "results": content}, indent=1)
    )


def cell_data(planned):
    return next(iter(planned.values()))[0].config.data


def rows_of(markdown, title, overview=False):
    """Cells of the lines that start with a title, of the tables of one gallery or of the overviews of all."""
    sections = re.split("^## ", markdown, flags=re.MULTILINE)
    wanted = [section for section in sections if section.startswith("All galleries") == overview]
    lines = [line for section in wanted for line in section.splitlines() if line.startswith(f"| {title} ")]
    return [[cell.strip() for cell in line.split("|")[2:-1]] for line in lines]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "few.poses.npz"
    generate_synthetic(330, seed=3, num_subjects=3).save(path)
    return str(path)


@pytest.fixture
def measured(data, tmp_path):
    """Two systems of Table 1 with two seeds, all but one cell measured; and the arguments that ask for them."""
    names = ["V-VIPE (paper preset)", "V-VIPE (default preset)", "2D keypoints"]
    rows = [row for row in TABLES["1"].rows if row.name in names]
    planned = plan_cells(TABLES["1"], rows, (4, 7), data, tmp_path / "out")
    paper, default = planned.values()
    for cell, hit in ((paper[0], 0.80), (paper[1], 0.84), (default[1], 0.5)):
        write_results(cell, entry_of(cell.train_command, hit))
    arguments = ["--table", "1", "--dataset", data, "--seeds", "4", "7", "--output", str(tmp_path / "out")]
    return planned, [*arguments, "--systems", *names]


@pytest.fixture
def no_processes(monkeypatch):
    """Stands in for the child processes: they fail, and their commands are kept."""
    started = []

    def run(command, **options):
        started.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run, STDOUT=subprocess.STDOUT))
    return started


def test_only_what_is_missing_is_run_and_what_breaks_is_reported(measured, no_processes, tmp_path, capsys):
    planned, arguments = measured
    assert main(arguments) == 1
    missing = list(planned.values())[1][0]
    assert [command[1:] for command in no_processes] == [["-m", "training.train", *missing.flags]]
    captured = capsys.readouterr()
    assert "1 of 4 cells to run" in captured.err
    table = captured.out
    assert rows_of(table, "V-VIPE (paper preset)") == [
        ["82.0 ± 2.8", "90.0", "89.7 / 98.8 / 99.4", "45.3 / 76.2 / 83.1", "47.9 / 77.9 / 84.5", "3,328,000", "4, 7"]
    ]
    assert rows_of(table, "V-VIPE (default preset)")[0][:2] == ["50.0", "90.0"]
    assert rows_of(table, "V-VIPE (default preset)")[0][-1] == "7"
    assert rows_of(table, "2D keypoints") == [
        ["25.0", "50.0", "28.7 / 47.1 / 50.9", "9.8 / 21.6 / 25.5", "", "none", ""]
    ]
    assert rows_of(table, "chance: random order")[0][:2] == ["1.0", "5.0"]
    assert rows_of(table, "oracle: canonical pose to other 3D")[0][:2] == ["99.0", "100.0"]
    assert "1,234 poses in each gallery" in table
    assert "- v_vipe_default_preset_4: not run. training.train ended with 3" in table
    assert (tmp_path / "out" / "table_1.md").read_text() == table
    # Nothing was measured on real cameras.
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["table_1_virtual.png"]
    content = json.loads((tmp_path / "out" / "table_1.json").read_text())
    cells = [cell for row in content["rows"] for cell in row["cells"]]
    assert [(cell["seed"], cell["finished"]) for cell in cells] == [(4, True), (7, True), (4, False), (7, True)]
    assert shlex.split(content["command"]) == ["python", "-m", "training.reproduce", *arguments]
    assert {"commit", "versions", "data"} <= set(content)
    hits = cells[0]["results"]["virtual"][0]["rigs"]["chest"]["model"]["H36M_17"]
    assert hits == {"hit_at_k": {"1": 0.8, "5": 0.9}}


@pytest.mark.parametrize(("jobs", "threads"), [("1", None), ("2", "4"), ("3", "2"), ("9", "1")])
def test_trainings_at_the_same_time_share_the_processors(jobs, threads, data, tmp_path, monkeypatch):
    environments = []

    def run(command, env, **options):
        environments.append(env)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run, STDOUT=subprocess.STDOUT))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    arguments = ["--table", "1", "--dataset", data, "--output", str(tmp_path / "out"), "--systems", "PR-VIPE"]
    assert main([*arguments, "--seeds", "1", "2", "--jobs", jobs]) == 1
    assert [env.get("TF_NUM_INTRAOP_THREADS") for env in environments] == [threads] * 2
    assert all("PATH" in env for env in environments)


def test_an_overview_has_the_first_rank_in_every_gallery_side_by_side(measured, no_processes, capsys):
    planned, arguments = measured
    paper, default = planned.values()
    rig = entry_of("", 0.8)["rigs"]["chest"]
    for cell, hit in ((paper[0], 0.80), (paper[1], 0.84), (default[1], 0.5)):
        other = rig | {"model": {"H36M_17": {"hit_at_k": {"1": hit / 2, "5": 0.9}}}}
        entry = entry_of(cell.train_command, hit)
        write_results(cell, entry | {"rigs": entry["rigs"] | {"unseen": other}})
    (default[1].run_dir / "results.json").unlink()
    main(arguments)
    table = capsys.readouterr().out
    assert table.count("## All galleries, virtual cameras\n\nHit@1 in %.") == 1
    assert "real cameras" not in table
    assert rows_of(table, "", overview=True)[0] == ["test, chest", "test, unseen"]
    assert rows_of(table, "V-VIPE (paper preset)", overview=True) == [["82.0 ± 2.8", "41.0 ± 1.4"]]
    assert rows_of(table, "V-VIPE (default preset)", overview=True) == [["not run", "not run"]]
    assert rows_of(table, "2D keypoints", overview=True) == [["25.0", "25.0"]]
    assert rows_of(table, "chance: random order", overview=True) == [["1.0", "1.0"]]


def test_results_of_other_flags_do_not_count(measured, no_processes):
    _, arguments = measured
    assert main([*arguments, "--steps-scale", "0.5"]) == 1
    assert len(no_processes) == 4
    assert "2000" in no_processes[0]


def test_a_system_without_any_result_reads_not_run(measured, no_processes, capsys):
    planned, arguments = measured
    for cell in list(planned.values())[1]:
        (cell.run_dir / "results.json").unlink(missing_ok=True)
    assert main(arguments) == 1
    row = rows_of(capsys.readouterr().out, "V-VIPE (default preset)")[0]
    assert (row[0], row[1], row[-1]) == ("not run", "not run", "not run")


def test_runs_on_different_galleries_never_share_a_table(measured, no_processes, capsys):
    planned, arguments = measured
    cell = list(planned.values())[1][0]
    write_results(cell, entry_of(cell.train_command, 0.7, frames_sha256="beef"))
    assert main(arguments) == 2
    assert "the same gallery in all runs" in capsys.readouterr().err


def test_lifting_errors_come_with_the_frame_that_they_are_measured_in(data, no_processes, tmp_path, capsys):
    planned = plan_cells(TABLES["lifting"], TABLES["lifting"].rows, (0,), data, tmp_path / "out")
    for frame, [cell] in zip(("canonical", "canonical", "camera", "camera"), planned.values(), strict=True):
        write_results(cell, entry_of(cell.train_command, 0.6, lifting_frame=frame, lifting_joints="COCO_13"))
    assert main(["--table", "lifting", "--dataset", data, "--output", str(tmp_path / "out")]) == 0
    table = capsys.readouterr().out
    assert "All galleries" not in table
    assert not list((tmp_path / "out").glob("*.png"))
    row = rows_of(table, "lifter + Procrustes")[0]
    assert row == ["camera", "COCO_13", "60.0", "50.0", "40.0", "62.9 (detected), 45.5 (true 2D)", "3,328,000", "0"]
    assert no_processes == []


def test_real_cameras_get_a_table_of_their_own(measured, no_processes, tmp_path, capsys):
    planned, arguments = measured
    views = tmp_path / "lab.views.npz"
    views.touch()
    rows = list(planned)
    [[cell]] = plan_cells(TABLES["1"], rows[:1], (4,), cell_data(planned), tmp_path / "out", views=str(views)).values()
    parts = {"model": 0.61, "keypoints_2d": 0.31, "chance": 0.11}
    retrieval = {part: {"COCO_13": {"hit_at_k": {"1": hit, "5": 0.9}}} for part, hit in parts.items()}
    gallery = {"frames": 321, "frames_sha256": "feed", "metrics": ["COCO_13"], "groups": {"all": retrieval},
               "canonical_3d": {"COCO_13": {"hit_at_k": {"1": 0.98, "5": 1.0}}}}  # fmt: skip
    command = " ".join(["python -m training.evaluate", *cell.views_flags])
    entry = {"data": "lab.views.npz", "kind": "openpose", "synthetic": False, "galleries": {"distinct": gallery}}
    results = {"version": VIEW_VERSION, "results": {"lab.views.npz/openpose": entry | {"command": command}}}
    (cell.run_dir / "view_results.json").write_text(json.dumps(results))
    assert main([*arguments, "--views", str(views)]) == 1
    # Seed after seed: the training that is missing fails, two cells are measured on the views, and one is done.
    assert [started[2] for started in no_processes] == ["training.train", "training.evaluate", "training.evaluate"]
    assert no_processes[1][3:5] == ["--run-dir", str(cell.run_dir.with_name("v_vipe_paper_preset_7"))]
    assert (tmp_path / "out" / "table_1_real.png").exists()
    virtual, *real = capsys.readouterr().out.partition("## All galleries, real cameras")
    real = "".join(real)
    assert rows_of(real, "V-VIPE (paper preset)", overview=True) == [["61.0"]]
    assert rows_of(virtual, "V-VIPE (paper preset)")[0][0] == "82.0 ± 2.8"
    assert "## openpose, distinct frames, all pairs, real cameras" in real
    assert "lab.views.npz: 321 frames. Metric on COCO_13" in real
    assert rows_of(real, "V-VIPE (paper preset)")[0][:2] == ["61.0", "90.0"]
    assert rows_of(real, "V-VIPE (default preset)")[0][:2] == ["not run", "not run"]
    assert rows_of(real, "2D keypoints")[0][:2] == ["31.0", "90.0"]
    assert rows_of(real, "chance: random order")[0][:2] == ["11.0", "90.0"]


@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_a_table_sees_as_many_examples(table):
    flags = ["--recorded", "lab.views.npz"] if TABLES[table].on_recorded else []
    planned = plan_cells(TABLES[table], TABLES[table].rows, (0,), "synthetic", "out", flags)
    check_budgets(planned)
    assert {cell.run_dir for [cell] in planned.values()} == {
        Path("out") / cell.run_dir.name for [cell] in planned.values()
    }
    assert len({cell.run_dir for [cell] in planned.values()}) == len(planned)
    assert all(len(row.paper) <= len(TABLES[table].paper_columns) for row in TABLES[table].rows)


def test_baselines_also_get_the_views_that_our_defaults_train_on():
    planned = plan_cells(TABLES["1"], TABLES["1"].rows, (0,), "synthetic", "out")
    configs = {row.name: cell.config for row, [cell] in planned.items()}
    ours, defaults = configs["PR-VIPE, our views"].view_config(), TrainConfig(keypoint_dropout=0.0).view_config()
    assert ours == defaults
    assert configs["PR-VIPE, our views"].distinct
    lifter = configs["lifter, free views"].view_config()
    alone = {"views_per_pose": 1, "body_shape_sigma": 0.0, "pose_shape_sigma": 0.0}
    assert lifter == dataclasses.replace(defaults, **alone)
    released = configs["PR-VIPE"]
    assert (released.max_elevation, released.free_distance, released.mirror) == (30.0, 2.0, False)


def test_rows_of_detected_keypoints_learn_from_recorded_views_without_or_with_virtual_ones(capsys):
    flags = ["--recorded", "lab.views.npz", "--recorded-kind", "cpn"]
    table = TABLES["1-detected"]
    planned = plan_cells(table, table.rows, (0,), "synthetic", "out", flags)
    configs = {row.name: cell.config for row, [cell] in planned.items()}
    assert {name: (config.model, config.free_views) for name, config in configs.items()} == {
        "V-VIPE (D)": ("vvipe", 0.0),
        "V-VIPE (D + A)": ("vvipe", 0.5),
        "PR-VIPE (D)": ("pr_vipe", 0.0),
        "PR-VIPE (D + A)": ("pr_vipe", 0.5),
    }
    assert {(config.recorded, config.recorded_kind) for config in configs.values()} == {("lab.views.npz", "cpn")}
    assert table.rows[0].paper == ("70.0 / 92.7 / 95.6", "23.5 / 54.3 / 64.0", "26.2 / 57.0 / 66.4")
    arguments = ["--table", "1-detected", "--dataset", "synthetic", "--dry-run"]
    assert main(arguments) == 2
    assert "-- --recorded FILE.views.npz" in capsys.readouterr().err
    assert main([*arguments, "--", *flags]) == 0


def test_an_oracle_without_an_answer_is_left_out(measured, no_processes, capsys):
    planned, arguments = measured
    nothing = {"canonical_3d": {"H36M_17": {"hit_at_k": {"1": 0.0, "5": 0.0}}}}
    for cell in (cell for of_row in planned.values() for cell in of_row):
        write_results(cell, entry_of(cell.train_command, 0.5, **nothing))
    assert main(arguments) == 0
    table = capsys.readouterr().out
    assert rows_of(table, "chance: random order")
    assert not rows_of(table, "oracle: canonical pose to other 3D")


def test_a_report_trains_nothing(measured, no_processes, tmp_path, capsys):
    _, arguments = measured
    assert main([*arguments, "--report-only"]) == 0
    assert not no_processes
    table = capsys.readouterr().out
    assert [rows_of(table, f"V-VIPE ({name} preset)")[0][-1] for name in ("paper", "default")] == ["4, 7", "7"]
    assert (tmp_path / "out" / "table_1.md").read_text() == table


def test_a_frame_list_goes_to_the_measuring_of_recorded_views(measured, no_processes, tmp_path, capsys):
    planned, arguments = measured
    views, listed = tmp_path / "lab.views.npz", tmp_path / "list.txt"
    views.touch()
    assert main([*arguments, "--frames", str(listed)]) == 2
    assert "Expected --views with --frames" in capsys.readouterr().err
    assert main([*arguments, "--views", str(views), "--frames", str(listed)]) == 2
    assert "list.txt, which does not exist" in capsys.readouterr().err
    listed.touch()
    assert main([*arguments, "--views", str(views), "--frames", str(listed)]) == 1
    assert no_processes[0][-2:] == ["--frames", str(listed)]


def test_recorded_views_that_an_earlier_version_measured_are_measured_again(measured, tmp_path):
    planned, _ = measured
    [[cell]] = plan_cells(
        TABLES["1"], list(planned)[:1], (4,), cell_data(planned), tmp_path / "out", views="lab.views.npz"
    ).values()
    entry = {"command": " ".join(["python -m training.evaluate", *cell.views_flags])}
    for version, found in ((VIEW_VERSION, [entry]), (VIEW_VERSION - 1, [])):
        (cell.run_dir / "view_results.json").write_text(json.dumps({"version": version, "results": {"x": entry}}))
        assert cell.read_real() == found


def test_without_pre_training_its_steps_go_to_stage_two():
    [row] = [row for row in TABLES["ablation"].rows if row.name == "no pre-training"]
    [[cell]] = plan_cells(TABLES["ablation"], [row], (5,), "synthetic", "out", ["--batch-size", "30"], 0.1).values()
    assert cell.config.mapping_steps == 450
    assert cell.num_examples == 450 * 30


def test_scaled_steps_scale_the_warm_up_with_them():
    [row] = [row for row in TABLES["ablation"].rows if row.name == "base"]
    [[cell]] = plan_cells(TABLES["ablation"], [row], (5,), "synthetic", "out", steps_scale=0.01).values()
    assert (cell.config.vae_steps, cell.config.mapping_steps, cell.config.kl_warmup) == (15, 30, 10)


def test_unequal_budgets_are_refused_unless_allowed(capsys):
    arguments = ["--table", "1", "--dataset", "synthetic", "--dry-run", "--systems", "PR-VIPE", "V-VIPE (paper preset)"]
    assert main([*arguments, "--", "--batch-size", "64"]) == 2
    error = capsys.readouterr().err
    assert "V-VIPE (paper preset) 832,000, PR-VIPE 416,000" in error
    assert main([*arguments, "--allow-unequal-budget", "--", "--batch-size", "64"]) == 0
    assert capsys.readouterr().out.count("python -m training.train") == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset", "nowhere"], "datasets/nowhere.poses.npz"),
        (["--systems", "V-VIP"], "Received: V-VIP"),
        (["--systems", "2D keypoints"], "a trained system"),
        (["--steps-scale", "0"], "positive --steps-scale"),
        (["--seeds", "1", "1"], "no seed twice"),
        (["--jobs", "0"], "at least one of --jobs"),
        (["--views", "nowhere.views.npz"], "nowhere.views.npz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(flags, message, capsys):
    assert main(["--table", "1", "--dataset", "synthetic", *flags]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: Expected")
    assert message in error
    assert "\n" not in error


def test_a_killed_cell_goes_on_a_broken_one_is_reported_and_a_finished_one_is_left_alone(data, tmp_path, capsys):
    output = tmp_path / "out"
    rows = [row for row in TABLES["ablation"].rows if row.name in ("base", "one view")]
    [base], [one_view] = plan_cells(TABLES["ablation"], rows, (6,), data, output, TINY).values()
    one_view.run_dir.mkdir(parents=True)
    (one_view.run_dir / "thesis.tex").write_text("years of work")
    killed = subprocess.Popen(
        [sys.executable, "-m", "training.train", *base.flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not (base.run_dir / "checkpoints" / "vae_latest.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    stage_one = (base.run_dir / "checkpoints" / "vae_best.npz").stat().st_mtime_ns

    arguments = ["--table", "ablation", "--dataset", data, "--seeds", "6", "--output", str(output)]
    assert main([*arguments, "--jobs", "2", "--systems", "base", "one view", "--", *TINY]) == 1
    table = capsys.readouterr().out
    for row in rows_of(table, "base"):
        assert 0 < float(row[0]) <= 100
        assert row[-3:] == ["23.5", "640", "6"]
    assert {row[0] for row in rows_of(table, "one view")} == {"not run"}
    assert "thesis.tex" in {path.name for path in one_view.run_dir.iterdir()}
    assert "one_view_6: not run. training.train ended with 2" in table
    assert "which holds other files" in table
    assert (base.run_dir / "checkpoints" / "vae_best.npz").stat().st_mtime_ns == stage_one

    trained = (base.run_dir / "weights.npz").stat().st_mtime_ns
    measured = (base.run_dir / "results.json").stat().st_mtime_ns
    assert main([*arguments, "--systems", "base", "--", *TINY]) == 0
    captured = capsys.readouterr()
    assert "0 of 1 cells to run" in captured.err
    assert rows_of(captured.out, "base") == rows_of(table, "base")
    assert (base.run_dir / "weights.npz").stat().st_mtime_ns == trained
    assert (base.run_dir / "results.json").stat().st_mtime_ns == measured


def test_help_answers_without_tensorflow():
    code = (
        "import sys; from training.reproduce import main\n"
        "try: main(['--help'])\n"
        "finally: print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--allow-unequal-budget" in done.stdout
    assert done.stdout.strip().endswith("False")
