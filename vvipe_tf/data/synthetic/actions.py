"""The table of synthetic actions."""

from collections.abc import Callable, Mapping

from vvipe_tf.data.synthetic import arm_actions as arms
from vvipe_tf.data.synthetic import floor_actions as floor
from vvipe_tf.data.synthetic import gait_actions as gait
from vvipe_tf.data.synthetic import leg_actions as legs
from vvipe_tf.data.synthetic.clip import Clip, Motion

_LYING = (floor.lie_on_back, floor.lie_on_front, floor.lie_on_side)
_PERFORMED = (
    arms.stand_idle,
    arms.reach_one_arm,
    arms.reach_both_arms,
    arms.gesture,
    arms.rest_hands,
    arms.wave,
    arms.throw,
    arms.box,
    arms.stretch_overhead,
    arms.spread_arms,
    arms.bend_forward,
    arms.twist_trunk,
    gait.walk,
    gait.walk_carrying,
    gait.run,
    gait.turn,
    legs.sidestep,
    gait.climb,
    legs.squat,
    legs.lunge,
    legs.lunge_sideways,
    legs.jump,
    legs.jumping_jack,
    legs.kick,
    legs.balance,
    legs.sit,
    legs.sit_down,
    *_LYING,
    floor.sit_up,
    floor.sit_on_floor,
    floor.kneel,
    floor.crawl,
    floor.push_up,
)

# Name -> function that fills a clip with joint-angle curves in degrees.
ACTIONS: Mapping[str, Callable[[Clip], Motion]] = {action.__name__: action for action in _PERFORMED}
LYING_ACTIONS: tuple[str, ...] = tuple(action.__name__ for action in _LYING)
