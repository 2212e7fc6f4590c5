"""Rasters as people have them, of any name and in any folder, as a folder of images that the pipeline can run on.

What is named by an image id and holds a described label band, or one band of classes, is linked as it is. Else the day
is found, an id is made, and the band of classes is written anew in bytes where it must be chosen or recoded.
"""

import re
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import NodataShadowWarning, RasterioError
from rasterio.windows import Window

from local.earth_engine.geotiff import open_geotiff
from local.runs.image_dates import read_dates
from local.runs.image_ids import image_id_of
from local.runs.label_schemes import HIDDEN, USAGE, legend, read_scheme, recoded
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.errors import UserInputError

_SAMPLE_PIXELS = 512
_CHUNK_PIXELS = 2048
_MOST_FILES = 20_000
_SHOWN_SKIPPED = 10
# Bands that exports of Dynamic World call their classes by.
_LABEL_BANDS = (LABEL_BAND, "full_classification", "classification", "dw_label", "labels")
_EXPERT_NAME = re.compile(r"dw_-?\d+\.\d+_-?\d+\.\d+-\d{8}.*", re.IGNORECASE)


class Wishes(NamedTuple):
    """What a person said about their rasters; None where nothing."""

    day: date | None = None
    dates: Path | None = None
    band: str | None = None
    labels: str | None = None


class Prepared(NamedTuple):
    """One raster: the image id it goes by, and the file that holds it."""

    image_id: str
    path: Path


def rasters_in(folder: Path) -> list[Path]:
    """The GeoTIFFs of a folder and the folders in it, hidden ones left out. Raises UserInputError."""
    if not folder.is_dir():
        raise UserInputError(f"{folder}: no such folder" if not folder.exists() else f"{folder}: expected a folder")
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in {".tif", ".tiff"}
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise UserInputError(f"{folder}: no GeoTIFF (*.tif, *.tiff) in this folder or in one inside it")
    if len(found) > _MOST_FILES:
        raise UserInputError(f"{folder}: {len(found)} GeoTIFFs, the limit is {_MOST_FILES}")
    return found


def prepare(folder: Path, target: Path, wishes: Wishes, say: Callable[[str], None]) -> list[Prepared]:
    """Every usable raster of a folder; what cannot be used is named and skipped.

    ``target`` takes the files that must be written anew. Raises UserInputError where nothing is usable, and where how
    the labels are coded must be asked.
    """
    # a fourth band counts as transparency in files that say nothing of it; the nodata value decides
    warnings.simplefilter("ignore", NodataShadowWarning)
    dates = read_dates(wishes.dates) if wishes.dates else {}
    if wishes.labels:
        read_scheme(wishes.labels)
    images: dict[str, Prepared] = {}
    skipped: list[str] = []
    counts = np.zeros(9, dtype=np.int64)
    unmasked: list[str] = []
    found = rasters_in(folder)
    for path in found:
        name = str(path.relative_to(folder))
        try:
            image = _Raster(path, name, wishes, dates, say)
            same = images.get(image.image_id)
            if same is None:
                images[image.image_id] = image.prepared(target)
        except UserInputError as error:
            if isinstance(error, AskedError) or len(found) == 1:
                raise
            skipped.append(str(error))
            continue
        if same is not None:
            skipped.append(f"{name}: the same image as {same.path.name}, which counts")
            continue
        counts += image.counts
        if image.shows_all:
            unmasked.append(name)
    if not images:
        raise UserInputError(f"{folder}: no usable raster; the first: {skipped[0]}")
    for reason in skipped[:_SHOWN_SKIPPED]:
        say(f"  skipped {reason}")
    if len(skipped) > _SHOWN_SKIPPED:
        say(f"  and {len(skipped) - _SHOWN_SKIPPED} more skipped")
    if unmasked:
        say(
            f"  {unmasked[0]}{f' and {len(unmasked) - 1} more' if len(unmasked) > 1 else ''}: no nodata, so "
            "every 0 counts as water; where 0 is cloud or no data, give --labels 0=none,1=1,… or set nodata in the file"
        )
    say(f"  labels read as: {legend(counts)}")
    return list(images.values())


class AskedError(UserInputError):
    """The coding of the labels is in doubt, which only a person can settle."""


class _Raster:
    """One file: checked, its band and its day found, a coarse picture of its classes counted."""

    def __init__(
        self, path: Path, name: str, wishes: Wishes, dates: dict[str, date], say: Callable[[str], None]
    ) -> None:
        self.path, self.name, self._wishes = path, name, wishes
        with open_geotiff(path) as dataset:
            if dataset.crs is None:
                raise UserInputError(f"{name}: the raster has no coordinate reference system")
            if dataset.transform.b or dataset.transform.d:
                raise UserInputError(f"{name}: the raster's grid is rotated; expected rows along the x axis")
            self.image_id, noted = image_id_of(path, name, dataset, wishes.day, dates)
            self.band = _band(name, dataset, wishes.band)
            self._scheme = read_scheme(wishes.labels or "dynamic-world")
            alone = dataset.count == 1 and wishes.band is None
            described = dataset.descriptions[self.band - 1] == LABEL_BAND
            self._as_it_is = (described or alone) and _mask_counts(dataset)
            self.counts = self._counted(dataset)
            self.shows_all = _hides_nothing(dataset, self.band) and not wishes.labels and bool(self.counts[0])
        if noted:
            say(noted)

    def prepared(self, target: Path) -> Prepared:
        """The file itself, or one band of classes written anew below ``target``."""
        if self._as_it_is and self._wishes.labels in {None, "dynamic-world"}:
            return Prepared(self.image_id, self.path)
        target.mkdir(parents=True, exist_ok=True)
        written = target / f"{self.image_id}.tif"
        with open_geotiff(self.path) as source:
            form = {
                "driver": "GTiff", "width": source.width, "height": source.height, "count": 1, "dtype": "uint8",
                "crs": source.crs, "transform": source.transform, "nodata": HIDDEN, "compress": "deflate",
                "tiled": True, "blockxsize": 256, "blockysize": 256,
            }  # fmt: skip
            try:
                with rasterio.open(written, "w", **form) as classes:
                    for row in range(0, source.height, _CHUNK_PIXELS):
                        for column in range(0, source.width, _CHUNK_PIXELS):
                            window = Window(
                                column, row,
                                min(_CHUNK_PIXELS, source.width - column), min(_CHUNK_PIXELS, source.height - row),
                            )  # fmt: skip
                            values = source.read(self.band, window=window, masked=_mask_counts(source))
                            hidden = np.ma.getmaskarray(values)
                            classes.write(recoded(np.ma.getdata(values), hidden, self._scheme), 1, window=window)
                    classes.set_band_description(1, LABEL_BAND)
            except RasterioError as error:
                raise UserInputError(f"{self.name}: not a readable raster ({error})") from None
        return Prepared(self.image_id, written)

    def _counted(self, dataset: Any) -> np.ndarray:
        """Pixels by class in a coarse picture. Raises UserInputError for numbers that are no classes."""
        shape = (min(dataset.height, _SAMPLE_PIXELS), min(dataset.width, _SAMPLE_PIXELS))
        try:
            values = dataset.read(self.band, out_shape=shape, masked=_mask_counts(dataset))
            values = np.ma.compressed(values)
        except RasterioError as error:
            raise UserInputError(f"{self.name}: not a readable raster ({error})") from None
        values = values[np.isfinite(values)]
        odd = np.setdiff1d(np.unique(values), list(self._scheme))
        if odd.size:
            shown = ", ".join(f"{value:g}" for value in odd[:5])
            expert = not self._wishes.labels and set(odd) <= {9, 10}
            shifted = "; is 1 water and 9 snow here" if expert and 9 in odd else "; are these expert labels"
            kind = AskedError if expert else UserInputError  # what is of another kind altogether is skipped
            raise kind(
                f"{self.name}: labels must be Dynamic World classes 0 to 8 (or the file's nodata), found {shown}"
                f"{f'{shifted}? Then' if expert else ';'} {USAGE}"
            )
        if _EXPERT_NAME.fullmatch(Path(self.name).stem) and not self._wishes.labels:
            raise AskedError(
                f"{self.name}: named like an expert label tile, where 0 is unlabelled and 1 water; give "
                "--labels expert, or --labels dynamic-world where 0 is water"
            )
        if not self._wishes.labels:
            self._check_against_probabilities(dataset, shape)
        classes = recoded(values, np.zeros(values.shape, dtype=bool), self._scheme)
        return np.bincount(classes[classes != HIDDEN], minlength=9)[:9]

    def _check_against_probabilities(self, dataset: Any, shape: tuple[int, int]) -> None:
        """Labels one too high against the file's own nine probabilities are asked about."""
        described = list(dataset.descriptions)
        if not all(name in described for name in CLASS_NAMES):
            return
        try:
            layers = [dataset.read(described.index(n) + 1, out_shape=shape, masked=True) for n in CLASS_NAMES]
            labels = dataset.read(self.band, out_shape=shape, masked=True)
        except RasterioError as error:
            raise UserInputError(f"{self.name}: not a readable raster ({error})") from None
        likeliest = np.argmax(np.stack([np.asarray(layer) for layer in layers]), axis=0)
        seen = ~np.ma.getmaskarray(labels)
        if seen.any() and np.mean((labels.data == likeliest + 1)[seen]) > 0.5:
            raise AskedError(
                f"{self.name}: labels are one higher than the likeliest class; are they shifted? Then "
                "give --labels expert, or else --labels dynamic-world"
            )


def _band(name: str, dataset: Any, wished: str | None) -> int:
    described = [description or "" for description in dataset.descriptions]
    shown = ", ".join(text or "unnamed" for text in described)
    if wished is not None:
        if wished in described:
            return described.index(wished) + 1
        if wished.isdecimal() and 1 <= int(wished) <= dataset.count:
            return int(wished)
        raise UserInputError(f"{name}: no band {wished!r}; give --band with one of {shown}, or 1 to {dataset.count}")
    for known in _LABEL_BANDS:
        if known in described:
            return described.index(known) + 1
    if dataset.count == 1:
        if not dataset.dtypes[0].startswith(("uint", "int")):
            raise UserInputError(f"{name}: expected whole class numbers 0 to 8, found {dataset.dtypes[0]} values")
        return 1
    rgb = "" if dataset.count != 3 else " Is it a coloured (RGB) export? That holds no classes."
    raise UserInputError(
        f"{name}: {dataset.count} bands ({shown}) and none is called '{LABEL_BAND}'; give --band with the one that "
        f"holds the classes.{rgb}"
    )


def _hides_nothing(dataset: Any, band: int) -> bool:
    flags = dataset.mask_flag_enums[band - 1]
    return not _mask_counts(dataset) or any(flag.name == "all_valid" for flag in flags)


def _mask_counts(dataset: Any) -> bool:
    """Whether the file's mask is one: GDAL takes the fourth band for transparency, whatever its description says."""
    transparent = [i for i, meaning in enumerate(dataset.colorinterp) if meaning == ColorInterp.alpha]
    described = [dataset.descriptions[i] for i in transparent if dataset.descriptions[i]]
    return dataset.nodata is not None or not any("alpha" not in text.lower() for text in described)
