"""ESA's product folders (SAFE, the compact form since December 2016) and their zip files."""

import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from shared.errors import UserInputError

PRODUCT_FILE = "MTD_MSIL1C.xml"
L2A_FILE = "MTD_MSIL2A.xml"
# Bands by the number that the metadata uses, written as in the names of band files.
_BAND_OF_ID = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
_BAND_IN_NAME = re.compile(r"(?:^|_)B(\d{1,2}A?)$")
# Products from this baseline on (25 January 2022, and older scenes processed anew) carry an offset.
_OFFSET_SINCE = (4, 0)
_QUANTIFICATION = 10_000
_MOST_XML_BYTES = 50_000_000
# A band of 10 m, uncompressed, is 241 MB.
_MOST_BAND_BYTES = 300_000_000
_WANTED_IN_ZIP = re.compile(
    r"^(?:[^/]+/)?(?P<file>MTD_MSIL(?:1C|2A)\.xml|GRANULE/[^/]+/(?:MTD_TL\.xml|IMG_DATA/[^/]+_B\d[0-9A]\.jp2))$"
)


class Product(NamedTuple):
    """What a product's metadata says. ``offsets_dn`` by band; ``processed`` orders products of one scene."""

    image_id: str
    baseline: str
    offsets_dn: dict[str, int]
    sun_azimuth_deg: float | None
    processed: str


def band_name(text: str) -> str | None:
    """``B2`` for ``B02``, ``B2`` or a file's stem that ends in ``_B02``; None for anything else."""
    match = _BAND_IN_NAME.search(text.upper())
    name = f"B{match[1].lstrip('0')}" if match else None
    return name if name in _BAND_OF_ID else None


def read_product(folder: Path) -> Product:
    """The metadata of an L1C product. Raises UserInputError with one plain sentence."""
    if not (folder / PRODUCT_FILE).is_file():
        found = "an L2A product" if (folder / L2A_FILE).is_file() else f"no {PRODUCT_FILE}"
        raise UserInputError(
            f"{folder.name}: expected a Sentinel-2 L1C product (the network knows no L2A), found {found}"
        )
    root = _xml(folder / PRODUCT_FILE)
    said = _Texts(folder / PRODUCT_FILE, root)
    level, quantification = said.one("PROCESSING_LEVEL"), said.one("QUANTIFICATION_VALUE")
    if level != "Level-1C" or float(quantification) != _QUANTIFICATION:
        raise UserInputError(
            f"{folder.name}: expected Level-1C with reflectance × {_QUANTIFICATION}, found {level} × {quantification}"
        )
    granules = list(root.iter("Granule"))
    if len(granules) != 1:
        raise UserInputError(f"{folder.name}: expected a product of one tile, found {len(granules)}")
    baseline = said.one("PROCESSING_BASELINE")
    return Product(
        _image_id(folder, said, granules[0]),
        baseline,
        _offsets(folder, root, baseline),
        _sun_azimuth_deg(folder),
        said.one("GENERATION_TIME"),
    )


def _image_id(folder: Path, said: "_Texts", granule: Xml.Element) -> str:
    """Datatake time, datastrip time, tile: the names Earth Engine gives."""
    began = datetime.fromisoformat(said.one("DATATAKE_SENSING_START"))
    strip = re.search(r"_S(\d{8}T\d{6})_", granule.get("datastripIdentifier", ""))
    tile = re.search(r"_(T\d{2}[A-Z]{3})_", granule.get("granuleIdentifier", ""))
    if strip is None or tile is None:
        raise UserInputError(f"{folder.name}: the product's metadata does not name datastrip and tile")
    return f"{began:%Y%m%dT%H%M%S}_{strip[1]}_{tile[1]}"


def _offsets(folder: Path, root: Xml.Element, baseline: str) -> dict[str, int]:
    found = {}
    for element in root.iter("RADIO_ADD_OFFSET"):
        number = element.get("band_id", "")
        if number.isdigit() and int(number) < len(_BAND_OF_ID):
            found[_BAND_OF_ID[int(number)]] = int(element.text or 0)
    if tuple(int(part) for part in baseline.split(".")) < _OFFSET_SINCE:
        return dict.fromkeys(_BAND_OF_ID, 0) | found
    if set(found) != set(_BAND_OF_ID):
        raise UserInputError(
            f"{folder.name}: processing baseline {baseline} has an offset (RADIO_ADD_OFFSET) for each of 13 bands; the "
            f"metadata gives {len(found)}"
        )
    return found


def _sun_azimuth_deg(folder: Path) -> float | None:
    for path in folder.glob("GRANULE/*/MTD_TL.xml"):
        mean = _xml(path).find(".//Mean_Sun_Angle/AZIMUTH_ANGLE")
        if mean is not None and mean.text:
            return float(mean.text)
    return None


class _Texts:
    def __init__(self, path: Path, root: Xml.Element) -> None:
        self._path, self._root = path, root

    def one(self, tag: str) -> str:
        element = next(self._root.iter(tag), None)
        if element is None or not element.text:
            raise UserInputError(f"{self._path.name}: the product's metadata has no {tag}")
        return element.text.strip()


def _xml(path: Path) -> Xml.Element:
    if path.stat().st_size > _MOST_XML_BYTES:
        raise UserInputError(f"{path.name}: more than {_MOST_XML_BYTES // 10**6} MB of metadata")
    content = path.read_bytes()
    # Entities are declared in a document type, which products do not have.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UserInputError(f"{path.name}: metadata of a product has no document type, this has one")
    try:
        return Xml.fromstring(content)  # noqa: S314 — see above
    except Xml.ParseError as error:
        raise UserInputError(f"{path.name}: not XML ({error})") from None


# What zipfile raises, in this order: for a damaged directory or checksum, for damaged deflated bytes, for an end too
# early, and for a password or a compression that it does not know.
_UNREADABLE_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


@contextmanager
def unzipped(path: Path) -> Iterator[Path]:
    """The bands and metadata of a zipped product in a temporary folder, under names of our own.

    JPEG2000 is read by jumping about, which a zip file does not allow. Raises UserInputError.
    """
    with tempfile.TemporaryDirectory(prefix="landcover-") as temporary:
        target = Path(temporary) / path.stem.removesuffix(".SAFE")
        target.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if match := _WANTED_IN_ZIP.match(member.filename):
                        _extract(archive, member, target, match["file"])
        except _UNREADABLE_ZIP as error:
            raise UserInputError(f"{path.name}: not a readable zip file ({error})") from None
        yield target


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, name: str) -> None:
    limit = _MOST_XML_BYTES if name.endswith(".xml") else _MOST_BAND_BYTES
    parts = Path(name).parts
    # one granule, whatever it is called
    out = target / name if len(parts) == 1 else target.joinpath("GRANULE", "granule", *parts[2:])
    if member.file_size > limit or out.exists():
        reason = "the same file twice" if out.exists() else f"{member.file_size} bytes"
        raise UserInputError(f"{archive.filename}: {member.filename}: {reason}; expected one product of one tile")
    out.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, out.open("wb") as file:
        shutil.copyfileobj(source, file)  # stops at the size that was checked: zipfile reads no more than that
