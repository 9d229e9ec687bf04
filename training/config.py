"""Every setting of a training run: its default, type and help are here and nowhere else."""

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vvipe_tf.cli import CommandParser
from vvipe_tf.data.views import ViewConfig
from vvipe_tf.models.network_config import NetworkConfig


def _flag(default, text, choices=None):
    return field(default=default, metadata={"help": text, "choices": choices})


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run; a flag of `python -m training.train` for each.

    Angles are in degrees here, as for all flags.

    Raises:
        ValueError: If a value is out of its range.
    """

    preset: str = _flag("quickstart", "start values; other flags override them")
    model: str = _flag(
        "vvipe", "what to train; a baseline starts from the preset of its name", ("vvipe", "pr_vipe", "lifter")
    )
    run_dir: str = _flag("runs/quickstart", "folder of the run; an unfinished run in it goes on")
    data: str = _flag("synthetic", "a .poses.npz of training.prepare_data, or `synthetic` for the built-in poses")
    recorded: str = _flag(
        "", "a .views.npz: what its cameras saw takes the place of views at chest height; its training poses only"
    )
    recorded_kind: str = _flag("ground_truth", "with --recorded: kind of keypoints, or the name of a detector")
    distinct: bool = _flag(True, "leave near-duplicates within a sequence out of the training poses")
    stage: str = _flag("both", "which stage of V-VIPE to train", ("both", "vae", "mapping"))
    seed: int = _flag(0, "seed of the weights, the order and the views")
    batch_size: int = _flag(256, "examples in a batch, over all devices")
    vae_steps: int = _flag(4000, "steps of stage one, the pose VAE")
    mapping_steps: int = _flag(9000, "steps of stage two, the mapping network; of a baseline, all steps")
    pretraining: bool = _flag(True, "train stage one first; without, the decoder learns in stage two")
    rotation: bool = _flag(True, "rotate poses to the canonical frame; without, they stand as in the world")
    learning_rate: float = _flag(3e-3, "peak learning rate of Adam, or of AdaGrad for pr_vipe")
    schedule: str = _flag(
        "cosine",
        "decay of the learning rate; step halves it at every fifth, exponential takes 4 %% every 100,000 steps",
        ("cosine", "step", "exponential", "none"),
    )
    ema: float = _flag(0.998, "decay of the moving average of the weights; 0 turns it off")
    embedding_dim: int = _flag(32, "size of the embedding")
    width: int = _flag(1024, "units of each hidden layer")
    dropout: float = _flag(0.0, "dropout rate")
    kl_weight: float = _flag(1e-3, "weight of the KL term; Eq. 2 of the paper has 1")
    kl_warmup: int = _flag(1000, "steps over which the KL weight grows from 0")
    triplet_weight: float = _flag(1.0, "weight of the triplet term; 0 is the ablation without it")
    margin: float = _flag(1.0, "margin of the triplet term")
    mining: str = _flag(
        "paper",
        "negatives: next nearest by 3D pose, or nearest in the embedding (semi_hard: beyond the positive)",
        ("paper", "hard", "semi_hard"),
    )
    distillation_weight: float = _flag(1.0, "weight of the distance to the embedding of the 3D pose in stage two")
    views: int = _flag(2, "views of each pose in a batch of stage two")
    free_views: float = _flag(0.5, "share of views from any elevation and roll; the others are at chest height")
    free_distance: float = _flag(0.0, "distance of free views in torso units; 0 is that of the others")
    max_elevation: float = _flag(60.0, "greatest elevation of free views, degrees up and down")
    max_roll: float = _flag(30.0, "greatest roll of free views, degrees both ways")
    body_shape: float = _flag(0.06, "spread of bone lengths (sigma of the logarithm) between views of a pose")
    pose_shape: float = _flag(0.12, "spread of bone lengths between poses; the target changes with them")
    mirror: bool = _flag(True, "mirror half of the poses")
    keypoint_noise: float = _flag(0.0, "noise of the keypoints, where a torso is 0.5")
    keypoint_dropout: float = _flag(0.05, "share of views with missing joints")
    use_mask: bool = _flag(True, "tell the network which joints are missing")
    validate_every: int = _flag(500, "steps between validations; the state is saved then too")
    patience: int = _flag(0, "validations without a better Hit@1 before stage two stops; 0 never stops it")
    gallery_size: int = _flag(2000, "poses in each gallery of the final table")
    mixed_precision: bool = _flag(False, "compute in float16 (for GPUs)")
    jit_compile: bool = _flag(False, "compile the train step with XLA")
    steps_per_execution: int = _flag(1, "steps that run in one call of the graph")
    devices: int = _flag(0, "devices to train on with MirroredStrategy; 0 takes all GPUs, or the CPU")

    def __post_init__(self):
        """Checks the ranges."""
        for name in ("batch_size", "views", "validate_every", "gallery_size", "steps_per_execution"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected --{_dashed(name)} of at least 1. Received: {getattr(self, name)}")
        for name in ("vae_steps", "mapping_steps", "kl_warmup", "patience", "devices", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"Expected --{_dashed(name)} of at least 0. Received: {getattr(self, name)}")
        for name in ("kl_weight", "triplet_weight", "margin", "distillation_weight"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"Expected a finite --{_dashed(name)} of at least 0. Received: {getattr(self, name)}")
        if not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"Expected a --learning-rate above 0. Received: {self.learning_rate}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"Expected --ema in [0, 1). Received: {self.ema}")
        if self.batch_size % self.views:
            raise ValueError(
                f"Expected a --batch-size that is a multiple of --views {self.views}. Received: {self.batch_size}"
            )
        if self.validate_every % self.steps_per_execution:
            raise ValueError(
                "Expected --validate-every to be a multiple of --steps-per-execution. "
                f"Received: {self.validate_every} and {self.steps_per_execution}"
            )
        self._check_model()
        self.network_config()
        self.view_config()

    def _check_model(self):
        if self.model != "vvipe" and (self.stage != "both" or not self.pretraining or not self.rotation):
            raise ValueError(
                f"Expected --stage, --no-pretraining and --no-rotation with --model vvipe only. Received: {self.model}"
            )
        if self.stage != "both" and not self.pretraining:
            raise ValueError(f"Expected no --stage where there is no pre-training. Received: --stage {self.stage}")
        if self.model == "pr_vipe" and (self.views < 2 or self.mining == "paper"):
            raise ValueError(
                "Expected --views of at least 2 and --mining hard or semi_hard with --model pr_vipe. "
                f"Received: {self.views}, {self.mining}"
            )
        if self.recorded and (self.model == "lifter" or self.pose_shape):
            # A .views.npz does not say how its cameras stand, and recorded people are as they are.
            raise ValueError(
                "Expected --model vvipe or pr_vipe, and --pose-shape 0, with --recorded. "
                f"Received: {self.model}, {self.pose_shape}"
            )
        if self.model == "lifter" and (self.views != 1 or self.body_shape or self.pose_shape):
            raise ValueError(
                "Expected --views 1, --body-shape 0 and --pose-shape 0 with --model lifter. "
                f"Received: {self.views}, {self.body_shape}, {self.pose_shape}"
            )

    def network_config(self, synchronized: bool = False) -> NetworkConfig:
        """Size of the networks."""
        return NetworkConfig(
            embedding_dim=self.embedding_dim,
            width=self.width,
            dropout=self.dropout,
            use_mask=self.use_mask,
            synchronized_batch_norm=synchronized,
        )

    def view_config(self) -> ViewConfig:
        """Views of stage two."""
        return ViewConfig(
            views_per_pose=self.views,
            augmented_fraction=self.free_views,
            free_distance=self.free_distance,
            max_elevation=np.deg2rad(self.max_elevation),
            max_roll=np.deg2rad(self.max_roll),
            body_shape_sigma=self.body_shape,
            pose_shape_sigma=self.pose_shape,
            mirror=self.mirror,
            keypoint_noise=self.keypoint_noise,
            keypoint_dropout=self.keypoint_dropout,
        )


_PAPER = {
    "learning_rate": 1e-3,
    "dropout": 0.1,
    "views": 1,
    "distillation_weight": 0.0,
    "max_elevation": 30.0,
    "body_shape": 0.0,
    "pose_shape": 0.0,
    "mirror": False,
    "keypoint_dropout": 0.0,
    "use_mask": False,
    "ema": 0.0,
    "distinct": False,
}

# Differences from the defaults above. "quickstart" is small; "mocap" is the defaults on real motion capture; "paper" is
# V-VIPE as printed, with what cannot have been meant put right, and "literal" without that. "pr_vipe" and "lifter" are
# the baselines as released, on as many examples as "mocap" sees: 3.3 M.
PRESETS = {
    "quickstart": {
        "run_dir": "runs/quickstart",
        "vae_steps": 500,
        "mapping_steps": 1500,
        "width": 512,
        "validate_every": 250,
        "kl_warmup": 200,
        "ema": 0.99,
        "gallery_size": 1000,
    },
    "mocap": {"run_dir": "runs/mocap", "data": "datasets/mocap.poses.npz"},
    "paper": {"run_dir": "runs/paper", "data": "datasets/mocap.poses.npz", **_PAPER},
    "literal": {
        "run_dir": "runs/literal",
        "data": "datasets/mocap.poses.npz",
        **_PAPER,
        "kl_weight": 1.0,
        "kl_warmup": 0,
    },
    "pr_vipe": {
        "model": "pr_vipe",
        "run_dir": "runs/pr_vipe",
        "data": "datasets/mocap.poses.npz",
        **_PAPER,
        "views": 2,
        "free_distance": 2.0,
        "batch_size": 512,
        "mapping_steps": 6500,
        "learning_rate": 0.02,
        "schedule": "none",
        "ema": 0.9999,
        "embedding_dim": 16,
        "dropout": 0.3,
        "margin": float(np.log(2)),
        "mining": "semi_hard",
    },
    "lifter": {
        "model": "lifter",
        "run_dir": "runs/lifter",
        "data": "datasets/mocap.poses.npz",
        **_PAPER,
        "free_views": 0.0,
        "batch_size": 64,
        "mapping_steps": 52000,
        "learning_rate": 1e-3,
        "schedule": "exponential",
        "dropout": 0.5,
        "validate_every": 2000,
    },
}


def parse_config(argv: Sequence[str] | None, description: str) -> TrainConfig:
    """Reads the flags into a TrainConfig: defaults, then the preset, then the flags that were given.

    Raises:
        ValueError: If a value is out of its range.
        SystemExit: If a flag is unknown or of the wrong type (exit code 2), or help was asked for (0).
    """
    parser = CommandParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for setting in dataclasses.fields(TrainConfig):
        options = {"help": setting.metadata["help"], "default": setting.default}
        if setting.type is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options |= {"type": setting.type, "choices": setting.metadata["choices"]}
        if setting.name == "preset":
            options["choices"] = tuple(PRESETS)
        parser.add_argument(f"--{_dashed(setting.name)}", **options)
    parser.set_defaults(preset=None)
    chosen, _ = parser.parse_known_args(argv)
    preset = chosen.preset or (chosen.model if chosen.model in PRESETS else TrainConfig.preset)
    parser.set_defaults(**PRESETS[preset] | {"preset": preset})
    return TrainConfig(**vars(parser.parse_args(argv)))


def _dashed(name):
    return name.replace("_", "-")
