"""What every synthetic action is made of: time, a person's style, smooth curves and the standing posture."""

from dataclasses import dataclass, replace

import numpy as np

from vvipe_tf.data.synthetic.skeleton import SIDES

Motion = dict[str, np.ndarray | float]


@dataclass(frozen=True)
class Style:
    """How a person moves. Angles in degrees, factors around 1.

    Args:
        amplitude: Factor on the size of movements.
        tempo: Factor on their speed.
        lean: Forward lean of the trunk.
        asymmetry: Factor on the left side's size; the right side gets its inverse.
        arm_abduction: How far the resting arms stand off the trunk.
        elbow_rest: Resting flexion of the elbows.
        stance: Resting abduction of each hip.
        toe_out: Resting external rotation of each hip.
        kyphosis: Resting flexion of the upper trunk.
        head: Resting flexion of the neck.
    """

    amplitude: float
    tempo: float
    lean: float
    asymmetry: float
    arm_abduction: float
    elbow_rest: float
    stance: float
    toe_out: float
    kyphosis: float
    head: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Style":
        """Draws a person's style."""
        return cls(
            amplitude=float(rng.lognormal(0.0, 0.12)),
            tempo=float(rng.lognormal(0.0, 0.12)),
            lean=float(rng.normal(2.0, 2.5)),
            asymmetry=float(rng.lognormal(0.0, 0.05)),
            arm_abduction=float(rng.uniform(4.0, 16.0)),
            elbow_rest=float(rng.uniform(6.0, 28.0)),
            stance=float(rng.uniform(0.0, 7.0)),
            toe_out=float(rng.uniform(-2.0, 15.0)),
            kyphosis=float(rng.uniform(-3.0, 12.0)),
            head=float(rng.uniform(-6.0, 12.0)),
        )

    def vary(self, rng: np.random.Generator) -> "Style":
        """The same person on another occasion."""
        return replace(
            self,
            amplitude=self.amplitude * float(rng.lognormal(0.0, 0.10)),
            tempo=self.tempo * float(rng.lognormal(0.0, 0.12)),
            lean=self.lean + float(rng.normal(0.0, 2.0)),
            arm_abduction=self.arm_abduction + float(rng.uniform(-3.0, 8.0)),
            elbow_rest=max(0.0, self.elbow_rest + float(rng.uniform(-6.0, 8.0))),
            stance=self.stance + float(rng.uniform(-2.0, 5.0)),
            head=self.head + float(rng.normal(0.0, 6.0)),
        )

    def gain(self, side: str) -> float:
        """Amplitude of one side."""
        return self.amplitude * (self.asymmetry if side == "left" else 1.0 / self.asymmetry)


@dataclass(frozen=True)
class Clip:
    """One performance of an action that is to be filled with curves.

    Args:
        time: Seconds (frames,) since the performance began.
        duration: Length in seconds of the whole performance, of which `time` may be a part.
        rng: Source of this performance's choices.
        style: The performer's style.
        arm_ratio: Upper arm as a fraction of the arm (shoulder to wrist).
    """

    time: np.ndarray
    duration: float
    rng: np.random.Generator
    style: Style
    arm_ratio: float

    def draw(self, low: float, high: float) -> float:
        """One uniform number."""
        return float(self.rng.uniform(low, high))

    def choose_side(self) -> tuple[str, str]:
        """The acting side and the other one."""
        return SIDES if self.rng.random() < 0.5 else SIDES[::-1]

    def phase(self, low_hz: float, high_hz: float) -> np.ndarray:
        """Cycle count (frames,) of a periodic movement, with the performer's tempo and a random start."""
        return self.draw(low_hz, high_hz) * self.style.tempo * self.time + self.draw(0.0, 1.0)

    def wander(self, scale: float) -> np.ndarray:
        """Slow aimless drift (frames,) of about +-`scale`: three sinusoids of 0.08 to 0.6 Hz."""
        frequency = self.rng.uniform(0.08, 0.6, (3, 1))
        start = self.rng.uniform(0.0, 2.0 * np.pi, (3, 1))
        return scale * np.sin(2.0 * np.pi * frequency * self.time + start).mean(axis=0) * np.sqrt(2.0)

    def keyframes(self, values: np.ndarray) -> np.ndarray:
        """Minimum-jerk passage through evenly timed key values (keys, ...), resting at each.

        Returns:
            Values (frames, ...).
        """
        values = np.asarray(values, dtype=float)
        position = self.time / self.duration * (len(values) - 1)
        index = np.minimum(position.astype(int), len(values) - 2)
        progress = minimum_jerk(position - index).reshape(-1, *(1,) * (values.ndim - 1))
        return values[index] + progress * (values[index + 1] - values[index])

    def repeats(self, low_s: float, high_s: float) -> np.ndarray:
        """Effort (frames,) in [0, 1] of a repeated exertion: 0 at rest, 1 at its height, each taking a drawn period."""
        cycle = self.phase(1.0 / high_s, 1.0 / low_s) % 1.0
        return minimum_jerk(np.clip(cycle / 0.42, 0.0, 1.0)) * (1.0 - minimum_jerk(np.clip(cycle / 0.42 - 1.2, 0, 1)))


def minimum_jerk(progress: np.ndarray) -> np.ndarray:
    """Minimum-jerk profile 10 s^3 - 15 s^4 + 6 s^5 of Flash & Hogan (1985) for progress in [0, 1]."""
    return progress**3 * (10.0 - 15.0 * progress + 6.0 * progress**2)


def cyclic_bump(phase: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Periodic bell (frames,) of height 1 at `centre`, `width` being its standard deviation in cycles."""
    return np.exp((np.cos(2.0 * np.pi * (phase - centre)) - 1.0) / (2.0 * np.pi * width) ** 2)


def stand(clip: Clip) -> Motion:
    """Relaxed standing with postural sway: the posture other upright actions start from."""
    style = clip.style
    shift = clip.draw(-6.0, 6.0) + clip.wander(1.5)
    motion = {
        "root_tilt": 0.5 * style.lean + clip.wander(1.0),
        "root_roll": shift,
        "lumbar_flexion": 0.5 * style.lean + clip.wander(1.5),
        "lumbar_lateral": -shift + clip.wander(1.0),
        "lumbar_rotation": clip.wander(2.0),
        "thoracic_flexion": style.kyphosis + clip.wander(1.5),
        "thoracic_lateral": clip.wander(1.5),
        "thoracic_rotation": clip.draw(-6.0, 6.0) + clip.wander(3.0),
        "neck_flexion": style.head - style.kyphosis + clip.wander(4.0),
        "neck_lateral": clip.draw(-4.0, 4.0) + clip.wander(2.0),
        "neck_rotation": clip.draw(-25.0, 25.0) + clip.wander(14.0),
    }
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        bend = clip.draw(0.0, 7.0)
        motion |= {
            f"{side}_scapula_elevation": clip.draw(-3.0, 4.0) + clip.wander(1.0),
            f"{side}_scapula_protraction": clip.draw(-2.0, 8.0),
            f"{side}_shoulder_flexion": clip.draw(-8.0, 10.0) + clip.wander(3.0),
            f"{side}_shoulder_abduction": style.arm_abduction + clip.wander(2.0),
            f"{side}_shoulder_rotation": clip.draw(-5.0, 35.0) + clip.wander(4.0),
            f"{side}_elbow_flexion": style.elbow_rest + clip.draw(0.0, 8.0) + clip.wander(3.0),
            f"{side}_hip_abduction": style.stance - sign * shift,
            f"{side}_hip_rotation": -style.toe_out + clip.draw(-3.0, 3.0),
        } | place_leg(side, bend, -bend, motion["root_tilt"])
    return motion


def place_leg(side: str, thigh: np.ndarray, shank: np.ndarray, tilt: np.ndarray) -> Motion:
    """Hip and knee flexion that give the thigh and the shank chosen inclinations in the sagittal plane.

    Args:
        side: `"left"` or `"right"`.
        thigh: Inclination in degrees, 0 hanging, 90 level and forward.
        shank: Inclination in degrees, same sense; not beyond `thigh`, as knees do not bend that way.
        tilt: Forward tilt of the pelvis in degrees.

    Returns:
        Curves of the two freedoms.
    """
    return {f"{side}_hip_flexion": thigh + tilt, f"{side}_knee_flexion": thigh - shank}


def add_motion(motion: Motion, extra: Motion) -> Motion:
    """Motion with the angles of `extra` added to those it has."""
    return dict(motion) | {name: motion.get(name, 0.0) + curve for name, curve in extra.items()}
