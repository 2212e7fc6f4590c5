"""Image algorithms: bands, masks, projections. Argument names are those of the real signatures."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from affine import Affine

from local.earth_engine.errors import EngineError
from local.earth_engine.raster import pixel_area_m2, pixel_centres, transformer
from local.earth_engine.registry import algorithm
from local.earth_engine.values import (
    WGS84_ONE_DEGREE,
    Band,
    Date,
    Feature,
    Geometry,
    Image,
    Pixels,
    Projection,
    Window,
)
from local.earth_engine.zonal import centres_inside, region_in


def as_image(value: Any) -> Image:
    """Promote what the service promotes to an image: numbers and lists of numbers are constants."""
    if isinstance(value, Image):
        return value
    if isinstance(value, int | float | list):
        return constant(value)
    raise EngineError(f"Parameter expected an Image, found {type(value).__name__}.")


@algorithm("Image.constant")
def constant(value: Any) -> Image:
    values = value if isinstance(value, list) else [value]
    return Image(bands=tuple(
        replace(
            _computed(f"constant_{i}" if isinstance(value, list) else "constant", _filled(float(v))),
            # whole numbers are stored in as few bytes as hold them
            value_bytes=1 if isinstance(v, int) and -128 <= v <= 255 else 8,
        )
        for i, v in enumerate(values)
    ))  # fmt: skip


def _filled(value: float) -> Callable[[Window], Pixels]:
    return lambda window: Pixels(np.broadcast_to(np.float64(value), window.shape), None)


def _computed(name: str, read: Callable[[Window], Pixels], projection: Projection = WGS84_ONE_DEGREE) -> Band:
    return Band(name, projection, read)


@algorithm("Image.pixelArea")
def pixel_area() -> Image:
    return Image(bands=(_computed("area", lambda window: Pixels(pixel_area_m2(window), None)),))


@algorithm("Image.pixelLonLat")
def pixel_lon_lat() -> Image:
    def coordinate(axis: int) -> Callable[[Window], Pixels]:
        def read(window: Window) -> Pixels:
            x_y = pixel_centres(window)
            if not window.projection.is_geographic:
                x_y = transformer(window.projection.crs, "EPSG:4326").transform(*x_y)
            return Pixels(np.asarray(x_y[axis]), None)

        return read

    return Image(bands=(_computed("longitude", coordinate(0)), _computed("latitude", coordinate(1))))


@algorithm("Image.select")
def select(input: Any, bandSelectors: Any, newNames: Any = None) -> Image:
    image = as_image(input)
    selectors = bandSelectors if isinstance(bandSelectors, list) else [bandSelectors]
    chosen: list[Band] = []
    for selector in selectors:
        found = _match(image, selector)
        if not found:
            names = ", ".join(band.name for band in image.bands)
            raise EngineError(
                f"Image.select: Band pattern '{selector}' did not match any bands. Available bands: [{names}]"
            )
        chosen.extend(found)
    if newNames is not None:
        if len(newNames) != len(chosen):
            raise EngineError(f"Image.select: Got {len(newNames)} names for {len(chosen)} bands.")
        chosen = [replace(band, name=name) for band, name in zip(chosen, newNames, strict=True)]
    return replace(image, bands=tuple(chosen))


def _match(image: Image, selector: Any) -> list[Band]:
    if isinstance(selector, int | float):
        index = int(selector)
        return [image.bands[index]] if -len(image.bands) <= index < len(image.bands) else []
    exact = [band for band in image.bands if band.name == selector]
    return exact or [band for band in image.bands if re.fullmatch(selector, band.name)]


@algorithm("Image.rename")
def rename(input: Any, names: Any) -> Image:
    image = as_image(input)
    new = names if isinstance(names, list) else [names]
    if len(new) != len(image.bands):
        raise EngineError(
            f"Image.rename: The number of names ({len(new)}) must match the number of bands ({len(image.bands)})."
        )
    return replace(image, bands=tuple(replace(b, name=n) for b, n in zip(image.bands, new, strict=True)))


@algorithm("Image.addBands")
def add_bands(dstImg: Any, srcImg: Any, names: Any = None, overwrite: bool = False) -> Image:
    image, source = as_image(dstImg), as_image(srcImg)
    if names is not None:
        source = select(source, names)
    bands = list(image.bands)
    for band in source.bands:
        taken = {b.name for b in bands}
        if overwrite and band.name in taken:
            bands = [band if b.name == band.name else b for b in bands]
            continue
        name, n = band.name, 1
        while name in taken:
            name, n = f"{band.name}_{n}", n + 1
        bands.append(replace(band, name=name))
    return replace(image, bands=tuple(bands))


def _mask_weights(pixels: Pixels) -> np.ndarray:
    return np.ones(pixels.values.shape) if pixels.mask is None else pixels.mask.astype(float)


@algorithm("Image.mask")
def mask(image: Any, mask: Any = None) -> Image:
    source = as_image(image)
    if mask is not None:
        return update_mask(source, mask)
    return per_band(source, lambda pixels: Pixels(_mask_weights(pixels), None))


def per_band(image: Image, change: Callable[[Pixels], Pixels]) -> Image:
    def changed(band: Band) -> Band:
        return band.computed(lambda window: change(window.read(band)), band)

    return replace(image, bands=tuple(changed(band) for band in image.bands))


@algorithm("Image.updateMask")
def update_mask(image: Any, mask: Any) -> Image:
    masks = as_image(mask).bands

    def combine(pixels: Pixels, by: Pixels) -> Pixels:
        weights = np.where(by.valid, by.values, 0).clip(0, 1)
        return Pixels(pixels.values, _mask_weights(pixels) * weights)

    return _pairwise(as_image(image), masks, combine)


@algorithm("Image.selfMask")
def self_mask(image: Any) -> Image:
    return update_mask(image, image)


@algorithm("Image.unmask")
def unmask(input: Any, value: Any = None, sameFootprint: bool = True) -> Image:
    filler = as_image(0 if value is None else value).bands

    def fill(pixels: Pixels, by: Pixels) -> Pixels:
        if pixels.mask is None:
            return pixels
        return Pixels(np.where(pixels.mask > 0, pixels.values, by.values), by.mask)

    return _pairwise(as_image(input), filler, fill)


@algorithm("Image.clip")
def clip(input: Any, geometry: Any) -> Image:
    image = as_image(input)
    region = geometry.geometry if isinstance(geometry, Feature) else geometry

    def clipped(band: Band) -> Band:
        def read(window: Window) -> Pixels:
            pixels = window.read(band)
            inside = centres_inside(region_in(region, window.projection), window)
            keep = np.zeros(window.shape) if inside is None else inside
            return Pixels(pixels.values, _mask_weights(pixels) * keep)

        return band.computed(read, band)

    return replace(image, bands=tuple(clipped(b) for b in image.bands), geometry=region)


def _pairwise(image: Image, others: tuple[Band, ...], combine: Callable[[Pixels, Pixels], Pixels]) -> Image:
    if len(others) not in {1, len(image.bands)}:
        raise EngineError(f"Image must have 1 or {len(image.bands)} bands, found {len(others)}.")

    def joined(band: Band, other: Band) -> Band:
        return band.computed(
            lambda window: combine(window.read(band), window.read(other)),
            band,
            other,
            leaves=band.leaves | other.leaves,
            value_bytes=max(band.value_bytes, other.value_bytes),
        )

    partners = others * len(image.bands) if len(others) == 1 else others
    return replace(image, bands=tuple(joined(b, o) for b, o in zip(image.bands, partners, strict=True)))


@algorithm("Image.remap")
def remap(
    image: Any,
    from_: Any = None,
    to: Any = None,
    defaultValue: Any = None,
    bandName: Any = None,
    **extra: Any,
) -> Image:
    band = as_image(image).bands[0] if bandName is None else as_image(image).band(bandName)
    sources, targets = extra.get("from", from_), to

    def read(window: Window) -> Pixels:
        pixels = window.read(band)
        values = np.full(window.shape, 0.0 if defaultValue is None else float(defaultValue))
        known = np.zeros(window.shape, dtype=bool)
        for source, target in zip(sources, targets, strict=True):
            here = pixels.values == source
            values[here], known[here] = target, True
        keep = pixels.valid if defaultValue is not None else pixels.valid & known
        return Pixels(values, keep)

    return replace(as_image(image), bands=(band.computed(read, band, name="remapped"),))


@algorithm("Image.projection")
def projection(image: Any) -> Projection:
    found = {band.projection for band in as_image(image).bands}
    if len(found) != 1:
        raise EngineError("Image.projection: The bands of the specified image contains different projections.")
    return found.pop()


@algorithm("Image.setDefaultProjection")
def set_default_projection(image: Any, crs: Any, crsTransform: Any = None, scale: Any = None) -> Image:
    target = resolve_projection(WGS84_ONE_DEGREE, crs, crsTransform, scale)
    source = as_image(image)
    return replace(source, bands=tuple(replace(b, projection=target) for b in source.bands))


def resolve_projection(default: Projection, crs: Any, crs_transform: Any, scale: Any) -> Projection:
    """The grid a computation runs in, from the optional arguments every reduction has."""
    base = default
    if isinstance(crs, Projection):
        base = crs
    elif crs is not None:
        base = Projection(str(crs), Affine.identity())
        if scale is None and crs_transform is None:
            base = base.at_scale(default.nominal_scale_m())
    if crs_transform is not None:
        base = Projection(base.crs, Affine(*[float(v) for v in crs_transform[:6]]))
    return base.at_scale(float(scale)) if scale is not None else base


@algorithm("Image.bandTypes")
def band_types(image: Any) -> dict[str, Any]:
    return {band.name: band.data_type for band in as_image(image).bands}


@algorithm("Image.bandNames")
def band_names(image: Any) -> list[str]:
    return [band.name for band in as_image(image).bands]


@algorithm("Image.geometry")
def geometry(feature: Any, maxError: Any = None, proj: Any = None, geodesics: Any = None) -> Geometry:
    if feature.geometry is None:
        raise EngineError("Image.geometry: The image has no footprint (unbounded).")
    return feature.geometry  # type: ignore[no-any-return]


@algorithm("Image.date")
def date(image: Any) -> Date:
    start = image.properties.get("system:time_start")
    if start is None:
        raise EngineError("Image.date: The image has no 'system:time_start'.")
    return Date(int(start))


@algorithm("Projection.crs")
def projection_crs(projection: Projection) -> str:
    return projection.crs


@algorithm("Projection.nominalScale")
def nominal_scale(proj: Projection) -> float:
    return proj.nominal_scale_m()


@algorithm("Projection.atScale")
def at_scale(projection: Projection, meters: float) -> Projection:
    return projection.at_scale(meters)


@algorithm("Projection")
def make_projection(crs: Any, transform: Any = None, transformWkt: Any = None) -> Projection:
    return Projection(str(crs), Affine(*transform) if transform else Affine.identity())
