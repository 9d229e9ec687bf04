"""The dispatcher: `python -m vvipe_tf COMMAND`."""

import subprocess
import sys
from pathlib import Path

import pytest

from vvipe_tf.__main__ import COMMANDS, available_commands, main
from vvipe_tf.cli import run_command

ROOT = Path(__file__).resolve().parents[2]


def test_only_commands_that_are_there_are_listed(monkeypatch, capsys):
    monkeypatch.setitem(COMMANDS, "dream", "of poses")
    assert "dream" not in available_commands()
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert "dream" not in shown
    assert all(line in shown for line in available_commands().values())


def test_no_command_shows_the_help(capsys):
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 0
    assert "lift" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["fly"], ["--"], ["--fps"], ["dream"]])
def test_what_is_no_command_is_refused(argv, capsys):
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_file_that_may_not_be_written_is_one_line_and_exit_code_2(tmp_path, capsys):
    too_long = tmp_path / f"{'n' * 300}.json"
    assert run_command(lambda: too_long.write_text("")) == 2
    assert capsys.readouterr().err.startswith("error: File name too long: ")


@pytest.mark.parametrize("command", sorted(available_commands()))
def test_help_answers_without_numpy(command):
    code = (
        "import sys\n"
        "from vvipe_tf.__main__ import main\n"
        "try:\n"
        f"    main([{command!r}, '--help'])\n"
        "except SystemExit as end:\n"
        "    heavy = {'numpy', 'scipy', 'tensorflow', 'matplotlib', 'faiss'} & set(sys.modules)\n"
        "    sys.exit(str(heavy) if heavy else end.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python -m vvipe_tf {command}")


def test_the_exit_code_is_that_of_the_command(tmp_path, capsys):
    assert main(["convert", str(tmp_path / "none.json"), "--output", "x.csv"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_reader_that_leaves_early_is_no_error():
    code = (
        "import sys\n"
        "from vvipe_tf import __main__ as dispatcher\n"
        "from vvipe_tf.commands import convert\n"
        "convert.run = lambda arguments: print('x' * 10_000_000)\n"
        "sys.exit(dispatcher.main(['convert', 'in', '--output', 'out']))\n"
    )
    command = f'{sys.executable} -c "$CODE" | head -c 5; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={"CODE": code, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, "xxxxx", "")
