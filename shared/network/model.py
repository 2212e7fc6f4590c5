"""Running the network by ONNX Runtime."""

import base64
import hashlib
from pathlib import Path

import numpy as np
import onnxruntime

from shared.errors import DeploymentError
from shared.network.normalisation import Pixels, normalised
from shared.network.tiling import Tile

FILE = Path(__file__).with_name("dynamic_world.onnx")
SHA256 = "2dabd0af9744cb15868e753187fa6a70dadf532a9500147e2283769b62ba4245"
# The published SavedModel's date; rows name it where Dynamic World's own rows name its algorithm version.
VERSION = "network-2021-10-13"


class Network:
    """The loaded network. ``threads`` 0 takes every core."""

    def __init__(self, threads: int = 0) -> None:
        content = _content()
        found = hashlib.sha256(content).hexdigest()
        if found != SHA256:
            raise DeploymentError(f"{FILE.name}: expected the network with SHA-256 {SHA256}, found {found}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A memory plan for each shape of tile is kept beside the others: nearly twice the memory, and no faster.
        options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def logits(self, bands: np.ndarray) -> np.ndarray:
        """Normalised bands (9, H, W) float32 → logits (9, H, W) float32 by class value; H and W are 2 or more."""
        (found,) = self._session.run(None, {"bands": bands[np.newaxis]})
        return np.asarray(found[0])

    def probabilities(self, pixels: Pixels, tile: Tile) -> np.ndarray:
        """Class probabilities (9, h, w) float32 on a tile's core, from the pixels of its window.

        NaN where any of the nine bands is missing.
        """
        logits = self.logits(normalised(pixels))
        core = tile.core_in_window
        found = softmax(logits[:, *core])
        found[:, ~np.logical_and.reduce(pixels.valid[:, *core])] = np.nan
        return found


def _content() -> bytes:
    """The network's file; a deployed archive, which is made of texts, has it as base64."""
    if FILE.exists():
        return FILE.read_bytes()
    return base64.b64decode(FILE.with_name(f"{FILE.name}.b64").read_bytes())


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the first axis. Logits are all negative, hence the shift before ``exp``."""
    exponentials = np.exp(logits - logits.max(axis=0))
    return np.asarray(exponentials / exponentials.sum(axis=0))
