"""Human3.6M: what holds for its official files and for the archives that the community made of them.

Ionescu et al., TPAMI 2014. 7 subjects with poses, 15 actions twice each ("Directions" and "Directions 1"; the numbers
differ from subject to subject), 4 cameras. The world is right-handed with Z up.
"""

SOURCE = "human36m"
LICENSE = (
    "Human3.6M licence: academic use by the registered person only, not to be passed on (vision.imar.ro/human3.6m)"
)
FPS = 50.0
CAMERAS = ("54138969", "55011271", "58860488", "60457274")
FACTS = {"source": SOURCE, "license": LICENSE, "fps": FPS}

# Some subjects' files have the long name, the others' and all community archives the short one.
_SHORT_NAMES = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
_S9_SHIFT = "the measured poses of this recording stand about 200 mm beside the person in the pictures"
_KNOWN_FAULTS = {
    ("S11", "Directions"): "the video of camera 54138969 is corrupt: it has no detections; the poses are sound",
    ("S9", "Greeting"): _S9_SHIFT,
    ("S9", "SittingDown 1"): _S9_SHIFT,
    ("S9", "Waiting 1"): _S9_SHIFT,
}


def action_name(name: str) -> str:
    """Name of an action as test subjects and community archives spell it: `TakingPhoto 1` is `Photo 1`."""
    action, space, number = name.partition(" ")
    return _SHORT_NAMES.get(action, action) + space + number


def known_faults(subject: str, action: str) -> tuple[str, ...]:
    """What is known to be wrong with a recording, one line each."""
    fault = _KNOWN_FAULTS.get((subject, action))
    return () if fault is None else (fault,)
