"""One training run, from the poses to the table."""

import dataclasses
import hashlib
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from training.callbacks import best_weights_file
from training.config import TrainConfig
from training.evaluate import evaluate_model
from training.stages import train_lifter, train_mapping, train_pr_vipe, train_vae
from training.validation import ValidationSet
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.data.near_duplicates import distinct_in_sequences
from vvipe_tf.data.recorded_training import select_recorded
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.models.run_folder import (
    CONFIG_FILE,
    AnyTrainedModel,
    build_model,
    load_any_run,
    read_config,
    save_run,
    write_started,
)
from vvipe_tf.provenance import describe_commit, describe_versions

# Settings that may differ between the start of a run and its continuation.
_FREE_SETTINGS = {"stage", "run_dir", "gallery_size"}


def run_training(config: TrainConfig, command: str) -> AnyTrainedModel | None:
    """Trains, saves and evaluates.

    Args:
        config: Settings.
        command: Command line to record.

    Returns:
        The trained model; None if only stage one was asked for.

    Raises:
        ValueError: If the run folder belongs to another run, or the data are of no use.
        FileNotFoundError: If the data are missing, or stage two is asked for before stage one.
        FloatingPointError: If the loss is not finite.
    """
    run_dir = Path(config.run_dir)
    strategy = _strategy(config)
    if config.stage == "mapping" and not best_weights_file(run_dir, "vae").exists():
        raise FileNotFoundError(f"Expected stage one in {run_dir} before --stage mapping. Received: none")
    splits = load_splits(config.data)
    missing = [name for name in ("train", "validation") if name not in splits]
    if missing:
        raise ValueError(
            f"Expected sequences to train and to validate on in {config.data}; MPI-INF-3DHP is for testing only. "
            f"Received: nothing for {' and '.join(missing)}, only {', '.join(splits)}"
        )
    views = ViewSet.load(config.recorded) if config.recorded else None
    about = {
        "seed": config.seed,
        "train": dataclasses.asdict(config),
        "data": _describe_data(config.data, splits) | _describe_views(config, views),
        "versions": describe_versions(),
        "commit": describe_commit(),
        "command": command,
    }
    if _claim(run_dir, config, about):
        print(f"The run in {run_dir} is finished already.", file=sys.stderr)
        trained = load_any_run(run_dir)
    else:
        trained = _train(config, strategy, splits, views, about)
    splits_to_test = {name: dataset for name, dataset in splits.items() if name not in ("train", "validation")}
    if trained is not None and splits_to_test:
        print(evaluate_model(trained, splits_to_test, run_dir, config.gallery_size, command))
    return trained


def _train(config, strategy, splits, views, about):
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_dtype_policy("mixed_float16" if config.mixed_precision else "float32")
    network_config = config.network_config(synchronized=strategy.num_replicas_in_sync > 1)
    train, validation = splits["train"], ValidationSet(splits["validation"], config.seed, config.rotation)
    if config.distinct:
        train = train.select(distinct_in_sequences(train))
    recorded = None
    if views is not None:
        wanted = len(train)
        train, recorded = select_recorded(train, views, config.recorded_kind, config.use_mask)
        print(f"{len(train):,} of {wanted:,} training poses have recorded views.", file=sys.stderr)
    with strategy.scope():
        trained = build_model(config.model, network_config)
        if config.model == "pr_vipe":
            train_pr_vipe(config, trained, train, validation, recorded)
        elif config.model == "lifter":
            train_lifter(config, trained, train, validation)
        else:
            if config.pretraining:
                train_vae(config, trained, train, validation)
            if config.stage == "vae":
                print(f"Stage one is done. Go on with --stage mapping --run-dir {config.run_dir}", file=sys.stderr)
                return None
            train_mapping(config, trained, train, validation, recorded)
    save_run(config.run_dir, trained.networks, network_config, about, config.model)
    if config.model == "vvipe" and config.pretraining:
        validation.write_embeddings(trained, Path(config.run_dir) / "tensorboard")
    return load_any_run(config.run_dir)


def _strategy(config):
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    available = [device.name for device in tf.config.list_logical_devices(kind)]
    if config.devices > len(available):
        raise ValueError(f"Expected at most {len(available)} {kind} --devices. Received: {config.devices}")
    chosen = available[: config.devices or (len(available) if kind == "GPU" else 1)]
    if config.batch_size % (len(chosen) * config.views):
        raise ValueError(
            f"Expected a --batch-size that {len(chosen)} devices and {config.views} views divide. "
            f"Received: {config.batch_size}"
        )
    return tf.distribute.MirroredStrategy(chosen) if len(chosen) > 1 else tf.distribute.get_strategy()


def _claim(run_dir, config, about):
    """Starts a run folder, or recognises it as the same run; returns whether that is finished."""
    if not (run_dir / CONFIG_FILE).exists():
        if run_dir.exists() and any(run_dir.iterdir()):
            raise ValueError(
                f"Expected an empty --run-dir or one of ours. Received: {run_dir}, which holds other files"
            )
        write_started(run_dir, about)
        return False
    found = read_config(run_dir)
    if not found.get("finished") and not any((run_dir / "checkpoints").glob("*.npz")):
        # Nothing was learnt yet: a first try that failed does not bind the folder.
        write_started(run_dir, about)
        return False
    # A run may have been started before some setting existed; then it had what is the default now.
    settings, earlier = about["train"], dataclasses.asdict(TrainConfig()) | found["train"]
    differing = sorted(
        name for name, value in settings.items() if name not in _FREE_SETTINGS and earlier[name] != value
    )
    if differing:
        received = ", ".join(f"--{name.replace('_', '-')} {settings[name]}" for name in differing)
        raise ValueError(f"Expected the settings of the run in {run_dir}. Received: {received}; take another --run-dir")
    # Runs of before poses were hashed have no hash to compare.
    if found["data"] != {name: about["data"][name] for name in about["data"] if name in found["data"]}:
        raise ValueError(f"Expected the data that the run in {run_dir} was started on. Received: other data")
    return bool(found.get("finished"))


def _describe_views(config, views):
    if views is None:
        return {}
    recorded = views.of_kind(config.recorded_kind)
    digest = hashlib.sha256(np.ascontiguousarray(recorded.keypoints_2d))
    digest.update(np.ascontiguousarray(recorded.scores))
    return {"recorded": config.recorded, "recorded_kind": config.recorded_kind, "recorded_sha256": digest.hexdigest()}


def _describe_data(data, splits):
    learnt_from = splits["train"].licenses
    return {
        "data": data,
        "synthetic": any(split.synthetic for split in splits.values()),
        "splits": {name: len(split) for name, split in splits.items()},
        "train_sha256": hashlib.sha256(np.ascontiguousarray(splits["train"].poses)).hexdigest(),
        "licenses": dict(learnt_from),
        "test_licenses": {
            source: text
            for split in splits.values()
            for source, text in split.licenses.items()
            if source not in learnt_from
        },
    }
