"""Answers: values as the JSON the real service returns, and pixels as NPY, PNG or GeoTIFF."""

import io
import math
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from PIL import Image as Picture
from shapely.geometry import mapping

from local.earth_engine import limits
from local.earth_engine.algorithms.images import as_image, select
from local.earth_engine.errors import EngineError
from local.earth_engine.meter import meter
from local.earth_engine.values import (
    Collection,
    Date,
    DateRange,
    Feature,
    Geometry,
    Image,
    Projection,
    Window,
)


def encode(value: Any) -> Any:
    """JSON of a value. Raises EngineError for a collection over 5,000 elements or a value with no JSON form."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case np.generic():
            return encode(value.item())
        case Date():
            return {"type": "Date", "value": value.millis}
        case DateRange():
            return {"type": "DateRange", "dates": [value.start, value.end]}
        case Projection():
            return {"type": "Projection", "crs": value.crs, "transform": _transform(value.transform)}
        case Geometry():
            return _geometry(value)
        case list() | tuple():
            return [encode(item) for item in value]
        case dict():
            return {key: encode(item) for key, item in value.items()}
        case Image():
            return _image(value)
        case Feature():
            return {
                "type": "Feature",
                "geometry": None if value.geometry is None else _geometry(value.geometry),
                "properties": encode(value.properties),
            }
        case Collection():
            return _collection(value)
    raise EngineError(f"Object of type {type(value).__name__} cannot be returned to a client.")


def _collection(value: Collection) -> dict[str, Any]:
    if len(value.elements) > limits.MOST_ELEMENTS:
        raise EngineError(f"Collection query aborted after accumulating over {limits.MOST_ELEMENTS} elements.")
    meter().elements(len(value.elements))
    images = bool(value.elements) and all(isinstance(e, Image) for e in value.elements)
    return {
        "type": "ImageCollection" if images else "FeatureCollection",
        **({"id": value.asset_id} if value.asset_id else {}),
        **({"bands": []} if images else {"columns": {}}),
        "features": [encode(element) for element in value.elements],
    }


def _image(value: Image) -> dict[str, Any]:
    return {
        "type": "Image",
        "bands": [
            {
                "id": band.name,
                "data_type": band.data_type,
                **({"dimensions": list(band.dimensions)} if band.dimensions else {}),
                "crs": band.projection.crs,
                "crs_transform": _transform(band.projection.transform),
            }
            for band in value.bands
        ],
        **({"id": value.asset_id, "version": value.properties.get("system:version")} if value.asset_id else {}),
        "properties": encode(value.properties),
    }


def _geometry(value: Geometry) -> dict[str, Any]:
    shape = value.shape
    if value.as_ring and shape.geom_type == "Polygon" and not shape.interiors:
        shape = shape.exterior
    return {**encode(dict(mapping(shape))), "geodesic": value.geodesic}


def _transform(transform: Affine) -> list[float]:
    return [transform.a, transform.b, transform.c, transform.d, transform.e, transform.f]


def pixels(image: Any, request: dict[str, Any]) -> tuple[bytes, str]:
    """The body and content type that answer ``image:computePixels``."""
    source = as_image(image)
    if request.get("bandIds"):
        source = select(source, request["bandIds"])
    window = _window(request.get("grid") or {}, source)
    _refuse_too_much(window, source)
    meter().pixels(source.bands, window.width * window.height)
    window.announce(source.bands)
    read = [window.read(band) for band in source.bands]
    arrays = [np.where(p.valid, p.values, 0) for p in read]
    match request.get("fileFormat", "NPY"):
        case "NPY":
            table = np.empty(window.shape, dtype=[(b.name, a.dtype) for b, a in zip(source.bands, arrays, strict=True)])
            for band, array in zip(source.bands, arrays, strict=True):
                table[band.name] = array
            buffer = io.BytesIO()
            np.save(buffer, table)
            return buffer.getvalue(), "application/octet-stream"
        case "PNG":
            buffer = io.BytesIO()
            Picture.fromarray(np.dstack([a.astype(np.uint8) for a in arrays]).squeeze()).save(buffer, "PNG")
            return buffer.getvalue(), "image/png"
        case "GEO_TIFF":
            return _geotiff(window, [b.name for b in source.bands], arrays), "image/tiff"
        case other:
            raise EngineError(f"Unsupported file format '{other}'.")


def _refuse_too_much(window: Window, image: Image) -> None:
    most = limits.MOST_PIXELS_A_SIDE
    if max(window.width, window.height) > most:
        raise EngineError(limits.TOO_MANY_PIXELS.format(width=window.width, height=window.height, most=most))
    if len(image.bands) > limits.MOST_BANDS:
        raise EngineError(limits.TOO_MANY_BANDS.format(found=len(image.bands), most=limits.MOST_BANDS))
    wanted = window.width * window.height * sum(band.value_bytes + limits.MASK_BYTES for band in image.bands)
    if wanted > limits.MOST_PIXEL_BYTES:
        raise EngineError(limits.TOO_MANY_BYTES.format(found=wanted, most=limits.MOST_PIXEL_BYTES))


def _geotiff(window: Window, names: list[str], arrays: list[np.ndarray]) -> bytes:
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", height=window.height, width=window.width, count=len(arrays), dtype="float64",
            crs=window.projection.crs, transform=window.transform,
        ) as dataset:  # fmt: skip
            for index, (name, array) in enumerate(zip(names, arrays, strict=True), 1):
                dataset.write(array.astype(float), index)
                dataset.set_band_description(index, name)
        return bytes(memory.read())


def _window(grid: dict[str, Any], image: Image) -> Window:
    native = image.bands[0].projection
    crs = grid.get("crsCode", native.crs)
    affine = grid.get("affineTransform")
    transform = native.transform
    if affine:
        transform = Affine(
            affine.get("scaleX", 1), affine.get("shearX", 0), affine.get("translateX", 0),
            affine.get("shearY", 0), affine.get("scaleY", 1), affine.get("translateY", 0),
        )  # fmt: skip
    size = grid.get("dimensions") or dict(zip(("width", "height"), image.bands[0].dimensions or (0, 0), strict=True))
    return Window(Projection(crs, transform), 0, 0, int(size["width"]), int(size["height"]))
