"""The published network on scenes of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from local.commands.common import CONSOLE, app, say
from local.sentinel2.choices import Form, Mask
from shared.errors import UserInputError


@app.command()
def classify(
    scene: Annotated[
        Path,
        typer.Argument(help="Sentinel-2 L1C: SAFE folder or zip, folder of band files, or GeoTIFF with named bands."),
    ],
    out: Annotated[Path, typer.Option(help="GeoTIFF to write: nine probabilities and the label.")],
    aois: Annotated[
        Path | None, typer.Option(help="Areas in any of these: GeoJSON, Shapefile, GeoPackage, KML; only their tiles.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="Numbers as float, or bytes (probabilities in 1/250).")] = (
        Form.FLOAT
    ),
    mask: Annotated[Mask, typer.Option(help="Hide cloud and shadow as the bands tell, or nothing.")] = Mask.BANDS,
    offset: Annotated[
        int | None,
        typer.Option(help="DN to add, where files don't say: -1000 from processing baseline 04.00 on, else 0."),
    ] = None,
    sun_azimuth: Annotated[float | None, typer.Option(help="Where the sun stands, degrees from north.")] = None,
    threads: Annotated[int, typer.Option(help="Cores to use; 0: all.", min=0)] = 0,
) -> None:
    """Classify one Sentinel-2 L1C scene with the published Dynamic World network."""
    if out.suffix.lower() not in {".tif", ".tiff"} or out.is_dir():
        raise UserInputError(f"{out}: expected a GeoTIFF file to write (.tif)")
    from local.runs import inputs  # noqa: PLC0415
    from local.sentinel2.classify import classify as classify_scene  # noqa: PLC0415
    from local.sentinel2.classify import tiles_over  # noqa: PLC0415
    from local.sentinel2.regions import region_on  # noqa: PLC0415
    from local.sentinel2.scene import opened  # noqa: PLC0415
    from local.sentinel2.sources import Told, scene_from  # noqa: PLC0415
    from shared.network.model import Network  # noqa: PLC0415
    from shared.settings import Settings  # noqa: PLC0415

    told = Told(offset, sun_azimuth)
    outlines = None
    if aois is not None:
        registered = inputs.registered(aois, inputs.read_aois(aois), Settings(project="local-project"))
        outlines = inputs.outlines(registered)
    with scene_from(scene, told, masked=mask is Mask.BANDS) as found, opened(found) as reader:
        chosen = tiles_over(found, None if outlines is None else region_on(found, outlines))
        with CONSOLE.status("classifying") as status:
            written = classify_scene(
                reader,
                Network(threads),
                chosen,
                out,
                form=form,
                hidden_by=mask,
                progress=lambda done, total: status.update(f"classifying: {done} of {total} tiles"),
            )
    say(f"{written.pixels * 1e-4:,.1f} km² classified, {written.hidden:.1%} of it hidden or without data; open {out}")
