"""Small files with the layout of the official ones, filled with a made-up body that walks among made-up cameras."""

import cdflib.cdfwrite
import h5py
import numpy as np
import scipy.io
from scipy.spatial.transform import Rotation

from vvipe_tf.geometry.camera import Camera, view_rotation
from vvipe_tf.keypoints import H36M_32, MPI_INF_3DHP_28

H36M_CAMERAS = ("54138969", "55011271", "58860488", "60457274")
H36M_SUBJECTS = tuple(f"S{number}" for number in range(1, 12))
LENS = (-0.2, 0.24, -1.4e-3, -9e-4, -3e-3)


def standing_pose(profile, seed=5):
    """A body about 1.7 m tall, Z up, facing +X: left is +Y; joints that are not told apart here lie on the trunk."""
    heights = {"toe": 0.02, "foot": 0.03, "ankle": 0.1, "knee": 0.5, "hip": 0.95, "pelvis": 0.95, "spine": 1.2}
    heights |= {"neck": 1.45, "nose": 1.6, "head": 1.6, "head_top": 1.72, "shoulder": 1.42, "elbow": 1.15, "wrist": 0.9}
    widths = {"hip": 0.13, "knee": 0.14, "ankle": 0.15, "shoulder": 0.18, "elbow": 0.22, "wrist": 0.24}
    pose = np.random.default_rng(seed).normal(scale=0.01, size=(profile.num_joints, 3))
    for joint, point in zip(profile.keypoint_names, pose, strict=True):
        part = joint.removeprefix("left_").removeprefix("right_")
        side = {"l": 1.0, "r": -1.0}[joint[0]] if part != joint else 0.0
        point += (0.0, side * widths.get(part, 0.1), heights.get(part, 1.1))
    return pose


def walk(profile, frames, seed=5):
    """The body on a straight way, swinging: poses (frames, joints, 3) in metres."""
    time = np.arange(frames)[:, None, None] / 50
    swing = np.random.default_rng(seed + 1).uniform(0, 6, (1, profile.num_joints, 3))
    return standing_pose(profile, seed) + np.sin(3 * time + swing) * 0.02 + time * (0.3, 0.1, 0.0)


def cameras(names, distortion=LENS, image_size=None):
    """Cameras around the body, 4 m away, slightly above it and slightly rolled, all different."""
    made = []
    for place, name in enumerate(names):
        azimuth = 2.2 * place + 0.3
        rotation = view_rotation(azimuth, 0.1 + 0.02 * place, 0.03 * place)
        centre = np.array([0.5, 0.2, 1.0]) - (4 + 0.1 * place) * rotation[2]
        focal = 1145.0 + place
        intrinsics = ((focal, 0, 512.0 + place), (0, focal + 2, 515.0), (0, 0, 1))
        made.append(Camera(name, rotation, centre, intrinsics, distortion, image_size))
    return tuple(made)


def write_cdf(path, poses):
    """One `Pose` variable (1, frames, joints * coordinates), as the official files have it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = np.asarray(poses, dtype=np.float32).reshape(1, len(poses), -1)
    file = cdflib.cdfwrite.CDF(path, delete=True)
    shape = list(flat.shape[1:])
    specification = {"Variable": "Pose", "Data_Type": 21, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": shape}
    file.write_var(specification, var_data=flat)
    file.close()


def write_metadata(path, by_subject, names=H36M_CAMERAS):
    """The parts of metadata.xml that are read; `by_subject` gives each subject's cameras."""
    extrinsics = [
        number
        for place in range(len(names))
        for subject in by_subject
        for number in (
            *Rotation.from_matrix(by_subject[subject][place].rotation).as_euler("XYZ"),
            *(by_subject[subject][place].centre * 1000),
        )
    ]
    intrinsics = []
    for camera in next(iter(by_subject.values())):
        (fx, _, cx), (_, fy, cy), _ = camera.intrinsics
        k1, k2, p1, p2, k3 = camera.distortion
        intrinsics += [fx, fy, cx, cy, k1, k2, k3, p1, p2]
    row = "<tr><td/><td/>" + "".join(f"<td>{subject}</td>" for subject in by_subject) + "</tr>"
    index = "".join(f"<item>{name}</item>" for name in names)
    numbers = " ".join(f"{number:.15g}" for number in extrinsics + intrinsics)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<database><mapping>{row}<tr><td>1</td><td>1</td></tr></mapping><actionnames/>"
        f"<dbcameras><index2id>{index}</index2id></dbcameras><w0>[{numbers}]</w0></database>"
    )


def write_human36m(root, subject="S1", action="Directions 1", frames=7, seed=5, with_metadata=True):
    """One recording of Human3.6M; returns its measured poses, its universal poses and the subject's cameras."""
    rigs = {name: cameras(H36M_CAMERAS) for name in H36M_SUBJECTS}
    measured = walk(H36M_32, frames, seed)
    universal = measured * 0.9
    features = root / subject / "MyPoseFeatures"
    write_cdf(features / "D3_Positions" / f"{action}.cdf", measured * 1000)
    for camera in rigs[subject]:
        name = f"{action}.{camera.name}.cdf"
        write_cdf(features / "D3_Positions_mono_universal" / name, camera.world_to_camera(universal) * 1000)
        write_cdf(features / "D2_Positions" / name, camera.project(measured))
    if with_metadata:
        write_metadata(root / "Release-v1.2" / "metadata.xml", rigs)
    return measured, universal, rigs[subject]


def write_archives(root, actions, cut=0, keypoints="gt", metadata=None, joints=32):
    """VideoPose3D's archives; `actions` = {subject: {action: frames}}; the 2D has `cut` frames more than the 3D."""
    rig = cameras(H36M_CAMERAS)
    rows = [H36M_32.index(name) for name in _h36m_17_names()]
    poses, views = {}, {}
    for subject, names in actions.items():
        whole = {name: walk(H36M_32, frames + cut).astype(np.float32) for name, frames in names.items()}
        poses[subject] = {name: pose[: len(pose) - cut, : joints or None] for name, pose in whole.items()}
        views[subject] = {
            name: [camera.project(pose[:, rows]).astype(np.float32) for camera in rig] for name, pose in whole.items()
        }
    symmetry = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
    metadata = {"num_joints": 17, "keypoints_symmetry": symmetry} | (metadata or {})
    root.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(root / "data_3d_h36m.npz", positions_3d=poses)
    np.savez_compressed(root / f"data_2d_h36m_{keypoints}.npz", positions_2d=views, metadata=metadata)
    return poses, views, rig


def _h36m_17_names():
    from vvipe_tf.keypoints import H36M_17

    return H36M_17.keypoint_names


Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # our (x, y, z) with Z up is (x, z, -y) in 3DHP's world


def write_matlab(path, arrays, version):
    """A `.mat` of the old format, or of the HDF5 one as MATLAB writes it: axes reversed, cells as references."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if version == "5":
        content = {}
        for name, value in arrays.items():
            if isinstance(value, list):
                content[name] = np.empty((len(value), 1), dtype=object)
                content[name][:, 0] = value
            else:
                content[name] = value
        scipy.io.savemat(path, content, do_compression=True)
        return
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in arrays.items():
            if not isinstance(value, list):
                file[name] = np.asarray(value).T
                continue
            references = file.create_dataset(name, (1, len(value)), dtype=h5py.ref_dtype)
            for place, cell in enumerate(value):
                file[f"#refs#/{name}{place}"] = np.asarray(cell).T
                references[0, place] = file[f"#refs#/{name}{place}"].ref


def write_calibration(path, numbered):
    """A `camera.calibration`; `numbered` = {number: Camera} in our world."""
    lines = ["Skeletool Camera Calibration File V1.0"]
    for number, camera in numbered.items():
        rotation = camera.rotation @ Y_UP.T
        extrinsic = np.eye(4)
        extrinsic[:3, :3] = rotation
        extrinsic[:3, 3] = -rotation @ (Y_UP @ camera.centre) * 1000
        intrinsic = np.eye(4)
        intrinsic[:3, :3] = camera.intrinsics
        lines += [
            f"name          {number}",
            "  sensor      10 10",
            "  size        2048 2048",
            "  animated    0",
            f"  intrinsic   {' '.join(f'{value:.9g}' for value in intrinsic.ravel())} ",
            f"  extrinsic   {' '.join(f'{value:.12g}' for value in extrinsic.ravel())} ",
            "  radial      0",
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_3dhp(root, name="S1/Seq1", frames=6, numbers=(0, 3, 10, 12), version="5", poses=None, swapped=slice(0, 0)):
    """One training sequence; returns its measured poses and its cameras by number."""
    poses = walk(MPI_INF_3DHP_28, frames) if poses is None else poses
    numbered = dict(zip(numbers, cameras([f"C{n}" for n in numbers], np.zeros(5), (2048, 2048)), strict=True))
    named = poses.copy()
    named[swapped] = named[swapped][:, MPI_INF_3DHP_28.flip_indices]
    in_camera = [camera.world_to_camera(named) * 1000 for camera in numbered.values()]
    rows = (len(poses), -1)
    arrays = {
        "annot2": [camera.project(named).reshape(rows).astype(np.float32) for camera in numbered.values()],
        "annot3": [points.reshape(rows).astype(np.float32) for points in in_camera],
        "univ_annot3": [(points * 0.92).reshape(rows).astype(np.float32) for points in in_camera],
        "cameras": np.array([numbers], dtype=np.float64),
        "frames": np.arange(len(poses), dtype=np.float64)[:, None],
    }
    write_matlab(root / name / "annot.mat", arrays, version)
    write_calibration(root / name / "camera.calibration", numbered)
    return poses, numbered


def write_3dhp_test(root, name="TS5", valid=(1, 1, 0, 1, 1), version="7.3", joints=17):
    """One sequence of the test set with its `.calib`; returns its measured poses in 3DHP's order."""
    from vvipe_tf.formats.motion_capture.mpi_inf_3dhp_test_set import MPI_INF_3DHP_17

    poses = walk(MPI_INF_3DHP_17, len(valid))
    outdoors = name in ("TS5", "TS6")
    width, height = (1920, 1080) if outdoors else (2048, 2048)
    sensor = (10.0, 5.625) if outdoors else (10.0, 10.0)
    rotation = view_rotation(0.7, 0.15, -0.02)
    centre = np.array([0.5, 0.2, 1.0]) - 4.0 * rotation[2]
    focal, offset = 8.75, (-0.1, 0.125)
    fx, fy = focal * width / sensor[0], focal * height / sensor[1] * 0.99
    cx, cy = (sensor[0] / 2 + offset[0]) * width / sensor[0], (sensor[1] / 2 + offset[1]) * height / sensor[1] * 0.99
    camera = Camera("C0", rotation, centre, ((fx, 0, cx), (0, fy, cy), (0, 0, 1)), LENS if outdoors else np.zeros(5))
    right, down, _ = (rotation @ Y_UP.T).tolist()
    origin = Y_UP @ centre * 1000
    lines = [
        "tc camera calibration v0.3",
        "camera\t0\tnamed",
        "frame 0",
        f"sensorSize {sensor[0]} {sensor[1]}",
        f"focalLength {focal}",
        "pixelAspect 0.99",
        f"centerOffset {offset[0]} {offset[1]}",
        "distortionModel OpenCV",
        *(["distortion " + " ".join(map(str, LENS))] if outdoors else []),
        "origin " + " ".join(map(str, origin)),
        "up " + " ".join(str(-value) for value in down),
        "right " + " ".join(map(str, right)),
    ]
    calibration = "ts5-6cameras.calib" if outdoors else "ts1-4cameras.calib"
    path = root / "test_util" / "camera_calibration" / calibration
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
    points = camera.world_to_camera(poses)[:, :joints] * 1000
    arrays = {
        "annot2": camera.project(poses)[:, :joints].T[:, :, None].astype(np.float32),
        "annot3": points.T[:, :, None].astype(np.float32),
        "univ_annot3": points.T[:, :, None].astype(np.float32) * np.float32(0.92),
        "valid_frame": np.array([valid], dtype=np.float64),
    }
    write_matlab(root / name / "annot_data.mat", arrays, version)
    return poses, camera
