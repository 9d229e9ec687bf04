"""Keras callbacks of a training run: progress, the stop on a non-finite loss, validation and saving."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from training.checkpoint import save_state
from vvipe_tf.models.run_folder import read_arrays, write_arrays


def best_weights_file(run_dir: Path | str, stage: str) -> Path:
    """File of the best averaged weights of a stage: `"vae"` or `"mapping"`, or the kind of a baseline."""
    return Path(run_dir) / "checkpoints" / f"{stage}_best.npz"


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Puts the moving average of the weights into a model for the length of a block, if its optimizer keeps one."""
    # A loss-scale optimizer has one inside that keeps the average.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    raw = [variable.value.numpy() for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, raw, strict=True):
            variable.assign(value)


class StopOnNonFinite(keras.callbacks.Callback):
    """Stops training with an error that names the step and the terms as soon as a loss term is not finite.

    Args:
        first_step: Steps done already.
        steps_per_execution: Steps that one batch callback stands for.

    Raises:
        FloatingPointError: If a term is NaN or infinite.
    """

    def __init__(self, first_step: int = 0, steps_per_execution: int = 1):
        super().__init__()
        self.step, self.steps_per_execution = first_step, steps_per_execution

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the terms of the step."""
        self.step += self.steps_per_execution
        broken = sorted(name for name, value in (logs or {}).items() if not np.isfinite(value))
        if broken:
            raise FloatingPointError(f"Training stopped at step {self.step}: {', '.join(broken)} not finite.")


class Progress(keras.callbacks.Callback):
    """A progress bar on a terminal; elsewhere one plain line for each validation.

    Args:
        title: Name of the stage.
        num_steps: Steps of the stage.
        first_step: Steps done already.
        steps_per_execution: Steps that one batch callback stands for.
    """

    def __init__(self, title: str, num_steps: int, first_step: int, steps_per_execution: int = 1):
        super().__init__()
        self.title, self.num_steps, self.steps_per_execution = title, num_steps, steps_per_execution
        self.step = first_step
        self.bar = None

    def on_train_begin(self, logs=None):
        """Opens the bar."""
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.num_steps, initial=self.step, desc=self.title, unit="step", dynamic_ncols=True)

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar."""
        self.step += self.steps_per_execution
        if self.bar is not None:
            self.bar.update(self.steps_per_execution)
            if logs and self.step % 20 == 0:
                self.bar.set_postfix(loss=f"{float(logs['loss']):.4f}")

    def on_epoch_end(self, epoch, logs=None):
        """Prints what the validation found."""
        shown = {name: value for name, value in (logs or {}).items() if name.startswith(("loss", "validation/"))}
        text = "  ".join(f"{name.removeprefix('validation/')} {value:.4g}" for name, value in shown.items())
        line = f"{self.title}  step {self.step}/{self.num_steps}  {text}"
        if self.bar is None:
            print(line, file=sys.stderr, flush=True)
        else:
            self.bar.write(line, file=sys.stderr)

    def on_train_end(self, logs=None):
        """Closes the bar."""
        if self.bar is not None:
            self.bar.close()


class Validation(keras.callbacks.Callback):
    """Validates with the averaged weights at the end of each epoch; records, saves, keeps the best, stops early.

    The measures join the logs of the epoch as `validation/...`, so it must stand before the callbacks that show them.

    Args:
        stage: `"vae"` or `"mapping"`, or the kind of a baseline.
        run_dir: Run folder.
        steps_per_epoch: Steps between validations.
        examples_per_step: Batch size.
        measure: Function () -> measures, called with the averaged weights in place.
        draw: Function (step) that writes images, called after `measure` with the summary writer as default.
        monitor: Measure by which the best weights are kept.
        higher_is_better: Direction of `monitor`.
        patience: Validations without a better `monitor` before training stops; 0 never stops.
        learning_rate: Function (step) -> learning rate.
    """

    def __init__(
        self,
        stage: str,
        run_dir: Path,
        steps_per_epoch: int,
        examples_per_step: int,
        measure: Callable[[], dict[str, float]],
        draw: Callable[[int], None],
        monitor: str,
        higher_is_better: bool,
        patience: int,
        learning_rate: Callable[[int], float],
    ):
        super().__init__()
        self.stage, self.run_dir = stage, Path(run_dir)
        self.steps_per_epoch, self.examples_per_step = steps_per_epoch, examples_per_step
        self.measure, self.draw, self.learning_rate = measure, draw, learning_rate
        self.monitor, self.sign, self.patience = monitor, 1.0 if higher_is_better else -1.0, patience
        self.best, self.num_without_gain = -np.inf, 0
        self.writer = tf.summary.create_file_writer(str(self.run_dir / "tensorboard" / stage))
        self.started = time.perf_counter()

    @property
    def state_file(self) -> Path:
        """Latest state of the stage."""
        return self.run_dir / "checkpoints" / f"{self.stage}_latest.npz"

    @property
    def best_file(self) -> Path:
        """Best averaged weights of the stage so far."""
        return best_weights_file(self.run_dir, self.stage)

    def resume_from(self, extra: dict[str, np.ndarray]) -> None:
        """Takes up the best value and the patience of a saved state."""
        self.best, self.num_without_gain = float(extra["best"]), int(extra["num_without_gain"])

    def is_exhausted(self) -> bool:
        """Whether the patience has run out."""
        return bool(self.patience) and self.num_without_gain >= self.patience

    def restore_best(self) -> None:
        """Puts the best averaged weights into the model."""
        weights = read_arrays(self.best_file)
        for index, variable in enumerate(self._kept_variables()):
            variable.assign(weights[f"{index:04d}"])

    def on_epoch_begin(self, epoch, logs=None):
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Measures, records and saves."""
        seconds = time.perf_counter() - self.started
        step = (epoch + 1) * self.steps_per_epoch
        with averaged_weights(self.model), self.writer.as_default(step=step):
            measures = self.measure()
            value = self.sign * measures[self.monitor]
            self.num_without_gain = 0 if value > self.best else self.num_without_gain + 1
            if value > self.best:
                self.best = value
                kept = self._kept_variables()
                write_arrays(self.best_file, {f"{i:04d}": v.value.numpy() for i, v in enumerate(kept)})
            self.draw(step)
            logs |= {f"validation/{name}": value for name, value in measures.items()}
            self._record(step, logs, seconds)
        extra = {"best": np.float64(self.best), "num_without_gain": np.int64(self.num_without_gain)}
        save_state(self.state_file, self.model, step, extra)
        if self.is_exhausted():
            self.model.stop_training = True

    def _kept_variables(self):
        metrics = {id(variable) for metric in self.model.metrics for variable in metric.variables}
        return [variable for variable in self.model.variables if id(variable) not in metrics]

    def _record(self, step, logs, seconds):
        rates = {
            "learning_rate": self.learning_rate(step),
            "examples_per_second": self.steps_per_epoch * self.examples_per_step / seconds,
        }
        record = {name: float(value) for name, value in (logs | rates).items()}
        for name, value in record.items():
            tf.summary.scalar(name if "/" in name else f"train/{name}", value)
        self.writer.flush()
        with open(self.run_dir / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"stage": self.stage, "step": step} | record) + "\n")
