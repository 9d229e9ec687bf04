import pytest

from training.benchmark import main, measure_evaluator


def test_the_evaluator_is_measured_on_embeddings_that_are_as_good_as_asked():
    good, poor = (measure_evaluator(3, 500, noise) for noise in (0.05, 1.5))
    assert good["hit_at_1"] > 0.9 > 0.5 > poor["hit_at_20"] > poor["hit_at_1"]
    assert 0 < good["alignments"] < poor["alignments"] <= 6 * 500 * 20
    assert min(min(measured.values()) for measured in (good, poor)) > 0


@pytest.mark.parametrize("flags", [["--runs", "0"], ["--batch-size", "3"]])
def test_bad_input_is_one_line_and_exit_code_2(flags, capsys):
    assert main(["--evaluator", *flags]) == 2
    assert capsys.readouterr().err.startswith("error: Expected at least 1 run and batches of at least 4 examples")
