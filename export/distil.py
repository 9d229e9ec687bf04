"""Distils a smaller model from a trained one: `python -m export.distil --run-dir runs/mocap --output-run runs/compact`.

The result is a run folder like any other; `export.to_tflite --compact-run` exports it beside the large model.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.provenance import describe_command, describe_commit, describe_versions
from vvipe_tf.silence import silenced_start


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _distil(arguments, describe_command("export.distil", argv)))


def _distil(arguments, command):
    with silenced_start():
        from export.distillation import distil_networks
        from vvipe_tf.models.network_config import NetworkConfig
        from vvipe_tf.models.run_folder import CONFIG_FILE, load_run, save_run

        teacher = load_run(arguments.run_dir)
    output = Path(arguments.output_run)
    if (output / CONFIG_FILE).exists():
        raise FileExistsError(f"Expected a new --output-run. Received: {output}, which holds a run")
    if min(arguments.steps, arguments.batch_size) < 1:
        raise ValueError(f"Expected at least 1 step and view. Received: {arguments.steps}, {arguments.batch_size}")
    config = NetworkConfig(
        embedding_dim=teacher.network_config.embedding_dim,
        width=arguments.width,
        num_blocks=arguments.num_blocks,
        dropout=0.0,
        use_mask=teacher.network_config.use_mask,
    )
    networks = distil_networks(
        teacher.networks,
        config,
        load_splits(teacher.config["data"]["data"])["train"],
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        report=_print_terms,
    )
    settings = {name: getattr(arguments, name) for name in ("width", "steps", "batch_size", "learning_rate")}
    about = {
        "seed": arguments.seed,
        "train": {"preset": "distilled", **settings},
        "data": teacher.config["data"],
        "distilled_from": teacher.config["weights_sha256"],
        "versions": describe_versions(),
        "commit": describe_commit(),
        "command": command,
    }
    save_run(output, networks, config, about)
    print(f"Distilled into {output}. Next: export.to_tflite with --compact-run {output}")


def _print_terms(step, terms):
    text = "  ".join(f"{name} {value:.4g}" for name, value in terms.items())
    print(f"distil  step {step}  {text}", file=sys.stderr, flush=True)


def _parser():
    parser = CommandParser(
        prog="python -m export.distil",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--run-dir", required=True, help="run folder of the trained model")
    parser.add_argument("--output-run", required=True, help="run folder to write")
    parser.add_argument("--width", type=int, default=384, help="units of each hidden layer")
    parser.add_argument("--num-blocks", type=int, default=2, help="residual blocks")
    parser.add_argument("--steps", type=int, default=8000, help="steps")
    parser.add_argument("--batch-size", type=int, default=256, help="views in a batch")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="peak learning rate of Adam")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, order and views")
    return parser


if __name__ == "__main__":
    sys.exit(main())
