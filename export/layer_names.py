"""Gives the layers of an exported graph names that quantisation can refer to."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.flatbuffer_model import op_name
from export.folded_network import FoldedNetwork, named_layers


def name_layers(model: schema.ModelT, networks: dict[str, FoldedNetwork]) -> None:
    """Renames what each layer and each residual sum puts out: `signature/network/place`, unique in the model.

    Converters fuse and rename at will, so a layer is recognised by its weights.

    Args:
        model: Float32 model; changed in place.
        networks: The networks in it, by name.

    Raises:
        ValueError: If a layer is not found in the model.
    """
    places = {
        layer.kernel.T.astype(np.float32).tobytes(): f"{name}/{place}"
        for name, network in networks.items()
        for place, layer in named_layers(network)
    }
    signatures = {item.subgraphIndex: item.signatureKey.decode() for item in model.signatureDefs}
    found = set()
    for index, subgraph in enumerate(model.subgraphs):
        labels: dict[int, str] = {}
        taken: set[str] = set()
        for operator in subgraph.operators:
            label = None
            name = op_name(model.operatorCodes[operator.opcodeIndex])
            if name == "FULLY_CONNECTED":
                weights = model.buffers[subgraph.tensors[operator.inputs[1]].buffer].data
                label = places.get(np.asarray(weights, np.uint8).tobytes())
                found.add(label)
            elif name == "ADD":
                added = [labels[tensor] for tensor in operator.inputs if labels.get(tensor, "").endswith("_second")]
                label = added[0].removesuffix("_second") + "_sum" if added else None
            if label is None:
                continue
            labels[operator.outputs[0]] = label
            # The converter computes a head twice where its bias was folded into the next layer.
            unique = label if label not in taken else f"{label}_again"
            taken.add(unique)
            subgraph.tensors[operator.outputs[0]].name = f"{signatures[index]}/{unique}"
    missing = sorted(set(places.values()) - found)
    if missing:
        raise ValueError(f"Expected every layer in the converted model. Received: none of {missing}")
