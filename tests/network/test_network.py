"""The network against the published one's answers, against a port in double precision, and against itself in tiles."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest

from local.network import convert
from shared.network import model, tiling
from shared.network.model import FILE, Network, softmax
from shared.network.normalisation import BANDS, Pixels, normalised, upsampled
from tests.network import port

TOLERANCE = 1e-4
SIZES = [(2, 2), (3, 2), (5, 7), (16, 16), (31, 64), (64, 31), (45, 45), (100, 101), (128, 96)]


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return convert.weights_of(onnx.load(FILE))


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Logits, classes first: within the tolerance, and no label differs."""
    assert np.abs(ours - theirs).max() < TOLERANCE
    assert (ours.argmax(axis=0) == theirs.argmax(axis=0)).all()


def test_the_published_answers_to_random_input(network: Network, shared_data: Path) -> None:
    with np.load(shared_data / "dynamic_world_model/reference_random_64x96.npz") as reference:
        bands = np.ascontiguousarray(reference["normalized"][0].transpose(2, 0, 1))
        agree(network.logits(bands), reference["logits"][0].transpose(2, 0, 1))


def test_the_published_answers_to_real_scenes(network: Network, shared_data: Path) -> None:
    """From digital numbers, so the normalisation too; 101 rows, so an odd size."""
    with np.load(shared_data / "dynamic_world_model/reference_l1c_slovenia.npz") as reference:
        scenes = zip(reference["dn"], reference["logits"], strict=True)
        found = [(dn.transpose(2, 0, 1).astype(np.float32), logits.transpose(2, 0, 1)) for dn, logits in scenes]
    assert len(found) == 5
    for dn, logits in found:
        agree(network.logits(normalised(Pixels(dn, np.ones(dn.shape, dtype=bool)))), logits)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_any_size_against_double_precision(
    network: Network, weights: dict[str, np.ndarray], height: int, width: int
) -> None:
    bands = np.random.default_rng(height * 1000 + width).random((9, height, width), dtype=np.float32)
    truth = port.logits(weights, bands.transpose(1, 2, 0).astype(np.float64)).transpose(2, 0, 1)
    agree(network.logits(bands), truth)


def test_the_file_holds_the_published_weights_and_is_made_the_same_again(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "dynamic_world_model/forward_weights.npz"
    convert.main(source, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == FILE.read_bytes()
    with np.load(source) as published:
        ours = convert.weights_of(onnx.load(FILE))
        assert set(ours) == set(published.files)
        assert all((ours[name] == published[name]).all() for name in published.files)


def test_what_ships_is_what_its_checksum_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = FILE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == model.SHA256
    (tmp_path / "other.onnx").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setattr(model, "FILE", tmp_path / "other.onnx")
    with pytest.raises(model.DeploymentError, match="expected the network with SHA-256"):
        Network()


@pytest.mark.parametrize(("height", "width", "core"), [(180, 196, 60), (130, 470, 372), (182, 60, 256)])
def test_tiles_are_the_whole_bit_for_bit(network: Network, height: int, width: int, core: int) -> None:
    random = np.random.default_rng(core)
    dn = random.gamma(2, 900, (9, height, width)).astype(np.float32)
    valid = random.random((9, height, width)) > 0.001
    whole = network.probabilities(Pixels(dn, valid), tiling.Tile(*[tiling.Span(0, 0, height, width)] * 2))
    assert np.isnan(whole).any(axis=0).mean() == pytest.approx(1 - 0.999**9, rel=0.2)
    seen = np.zeros((height, width), dtype=int)
    for tile in tiling.tiles(height, width, core):
        window = np.s_[:, tile.window.top : tile.window.bottom, tile.window.left : tile.window.right]
        inner = np.s_[:, tile.core.top : tile.core.bottom, tile.core.left : tile.core.right]
        found = network.probabilities(Pixels(dn[window], valid[window]), tile)
        assert np.array_equal(found, whole[inner], equal_nan=True)
        seen[inner[1:]] += 1
    assert (seen == 1).all()


def test_a_margin_one_pixel_smaller_would_show(network: Network) -> None:
    """So the margin is needed, and the test before can fail."""
    bands = np.random.default_rng(3).random((9, 96, 96), dtype=np.float32)
    whole = network.logits(bands)
    kept = 48
    for margin, same in ((tiling.MARGIN_PIXELS, True), (tiling.MARGIN_PIXELS - 2, False)):
        start = kept - margin
        assert (
            np.array_equal(network.logits(np.ascontiguousarray(bands[:, start:]))[:, margin:], whole[:, kept:]) is same
        )


def test_odd_tiles_are_refused() -> None:
    with pytest.raises(ValueError, match="expected even sizes, found 101 × 100"):
        list(tiling.tiles(101, 100))


def test_normalisation_by_hand() -> None:
    """Where the input is one half, and what no light gives, as published; what is missing is 0, which no DN gives."""
    half = [1511, 1490, 1459, 1662, 3131, 3574, 3562, 2938, 1335]
    none = [0.0050, 0.0053, 0.0077, 0.0076, 0.0046, 0.0050, 0.0049, 0.0071, 0.0145]
    dn = np.zeros((9, 1, 3), dtype=np.float32)
    dn[:, 0, 0] = half
    valid = np.ones(dn.shape, dtype=bool)
    valid[:, 0, 2] = False
    found = normalised(Pixels(dn, valid))[:, 0]
    assert len(BANDS) == 9
    assert found[:, 0] == pytest.approx([0.5] * 9, abs=2e-4)
    assert found[:, 1] == pytest.approx(none, abs=6e-5)
    assert (found[:, 2] == 0).all()


def test_upsampling_by_hand() -> None:
    """Centres of 10 m pixels lie a quarter of a 20 m pixel off its centre; edges and holes lend nothing."""
    dn = np.array([[0, 0, 0, 0], [0, 100, 200, 0], [0, 300, 500, 0], [0, 0, 0, 0]], dtype=np.float32)
    found, valid = upsampled(dn, dn > 0)
    assert valid.all()
    assert found[0] == pytest.approx([100, 125, 175, 200])
    assert found[:, 0] == pytest.approx([100, 150, 250, 300])
    assert found[1, 1] == pytest.approx((9 * 100 + 3 * 200 + 3 * 300 + 500) / 16)
    hole = dn.copy()
    hole[2, 2] = 0
    found, valid = upsampled(hole, hole > 0)
    assert valid.tolist() == [[True] * 4, [True] * 4, [True, True, False, False], [True, True, False, False]]
    assert found[1, 1] == pytest.approx((9 * 100 + 3 * 200 + 3 * 300) / 15)


def test_probabilities_add_up_and_do_not_overflow() -> None:
    found = softmax(np.array([[-200.0, 800.0], [-201.0, 0.0], [-202.0, -800.0]], dtype=np.float32))
    assert found.sum(axis=0) == pytest.approx([1, 1])
    assert found[:, 0] == pytest.approx(np.exp([0, -1, -2]) / np.exp([0, -1, -2]).sum())
