"""TFLite metadata: what the tensors of `lift` mean, with joint names and constants as files inside the model.

Written with tflite-support's schema modules and read back with its displayer. (Its populator would parse the model with
a schema of 2022 and drop what it does not know.)
"""

import ctypes
import io
import json
import zipfile
from collections.abc import Mapping

import flatbuffers
from tensorflow_lite_support.metadata import metadata_schema_py_generated as schema

from export.flatbuffer_model import add_metadata, find_metadata, read_model, write_model

METADATA_NAME = "TFLITE_METADATA"
KEYPOINT_JOINTS_FILE = "keypoint_joints.txt"
POSE_JOINTS_FILE = "pose_joints.txt"
CONSTANTS_FILE = "vvipe.json"
_IDENTIFIER = b"M001"
# Nothing here needs more than the first version of the metadata parser.
_MIN_PARSER_VERSION = "1.0.0"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def describe_model(content: bytes, about: Mapping) -> bytes:
    """Adds metadata and its files to a model.

    Args:
        content: TFLite model whose first subgraph is `lift`.
        about: What model.json says, without `files`.

    Returns:
        The model with metadata, the files as a zip archive behind it.
    """
    model = read_model(content)
    lift = next(item for item in model.signatureDefs if item.signatureKey.decode() == "lift")
    subgraph = model.subgraphs[0]
    add_metadata(model, METADATA_NAME, _pack(_model_metadata(about, lift, subgraph)))
    archive = io.BytesIO(write_model(model))
    files = {
        KEYPOINT_JOINTS_FILE: "\n".join(about["input"]["joints"]) + "\n",
        POSE_JOINTS_FILE: "\n".join(about["pose"]["joints"]) + "\n",
        CONSTANTS_FILE: json.dumps(about, indent=2, ensure_ascii=False) + "\n",
    }
    with zipfile.ZipFile(archive, "a") as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(name, _ZIP_TIME), text)
    return archive.getvalue()


def read_metadata(content: bytes) -> schema.ModelMetadataT:
    """Parses the metadata of a model.

    Raises:
        ValueError: If the file is no TFLite model, or has none.
    """
    packed = find_metadata(read_model(content), METADATA_NAME)
    if packed is None:
        raise ValueError("Expected a model with metadata. Received: one without")
    return schema.ModelMetadataT.InitFromPackedBuf(packed, 0)


def read_associated_files(content: bytes) -> dict[str, str]:
    """The files inside a model.

    Raises:
        ValueError: If there are none, or the archive is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return {name: packed.read(name).decode() for name in packed.namelist()}
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"Expected a model with files inside. Received: {error}") from error


def check_with_displayer(content: bytes, about: Mapping) -> None:
    """Reads the metadata back with tflite-support's own displayer.

    Args:
        content: Model that `describe_model` returned.
        about: What it was given.

    Raises:
        ValueError: If the displayer does not see what was written.
    """
    import libusb_package

    # tflite-support links against libusb, which many systems lack.
    ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    from tensorflow_lite_support.metadata.python.metadata import MetadataDisplayer

    displayer = MetadataDisplayer.with_model_buffer(content)
    shown = json.loads(displayer.get_metadata_json())
    files = {name: displayer.get_associated_file_buffer(name) for name in displayer.get_packed_associated_file_list()}
    joints = files.get(POSE_JOINTS_FILE, b"").decode().split()
    if shown.get("name") != about["name"] or joints != list(about["pose"]["joints"]):
        raise ValueError(f"Expected metadata that tflite-support reads back. Received: {shown.get('name')}, {joints}")
    if len(shown["subgraph_metadata"][0]["output_tensor_metadata"]) != 3:
        raise ValueError("Expected metadata of 3 outputs. Received: another number")


def _model_metadata(about, lift, subgraph):
    outputs = {item.tensorIndex: item.name.decode() for item in lift.outputs}
    metadata = schema.ModelMetadataT()
    metadata.name = about["name"]
    metadata.description = about["description"]
    metadata.version = about["model_version"]
    metadata.author = about["author"]
    metadata.license = about["license"]
    metadata.minParserVersion = _MIN_PARSER_VERSION
    metadata.associatedFiles = [_file(CONSTANTS_FILE, "All constants, units and axes, as JSON.")]
    described = schema.SubGraphMetadataT()
    described.name = "lift"
    described.description = "Keypoints of a detector to embedding, canonical pose and validity."
    described.inputTensorMetadata = [_tensor(about, lift.inputs[0].name.decode())]
    described.outputTensorMetadata = [_tensor(about, outputs[tensor]) for tensor in subgraph.outputs]
    metadata.subgraphMetadata = [described]
    return metadata


def _tensor(about, name):
    tensor = schema.TensorMetadataT()
    tensor.name = name
    tensor.description = about["signatures"]["lift"][name]
    tensor.content = schema.ContentT()
    tensor.content.contentPropertiesType = schema.ContentProperties.FeatureProperties
    tensor.content.contentProperties = schema.FeaturePropertiesT()
    if name == "keypoints":
        tensor.associatedFiles = [_file(KEYPOINT_JOINTS_FILE, "Joint names in the order of axis 1.")]
    if name == "pose":
        tensor.associatedFiles = [_file(POSE_JOINTS_FILE, "Joint names in the order of axis 1.")]
    return tensor


def _file(name, description):
    file = schema.AssociatedFileT()
    file.name, file.description = name, description
    file.type = schema.AssociatedFileType.DESCRIPTIONS
    return file


def _pack(metadata):
    builder = flatbuffers.Builder(4096)
    builder.Finish(metadata.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())
