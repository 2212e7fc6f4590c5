"""The JSON bodies on each topic, one model each. Unknown fields are refused."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AoiId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
OverpassId = Annotated[str, Field(pattern=r"^\d{8}T\d{6}$")]

# A log line names this many of each; Cloud Logging takes 256 kB a line.
_MOST_NAMED = 20


class Topic(StrEnum):
    """Every topic of the pipeline."""

    TICKS = "ticks"
    ACQUISITIONS = "acquisitions"
    AOI_REGISTRATIONS = "aoi-registrations"
    MEASUREMENTS = "measurements"
    DEAD_LETTERS = "dead-letters"


class Lane(StrEnum):
    """Message attribute ``lane`` on ``measurements``: a backfill never starves new acquisitions."""

    LIVE = "live"
    BACKFILL = "backfill"


class Message(BaseModel):
    """Base of all message bodies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def subject(self) -> dict[str, Any]:
        """What the message is about, for logs: AOIs, overpasses, images."""
        return {}


class Tick(Message):
    """``ticks``: Cloud Scheduler asks for one job. ``full`` lists the whole window, ``frequent`` recent ingestions."""

    job: Literal["discover", "composite"]
    scope: Literal["frequent", "full"] = "full"
    period: Literal["month", "year"] | None = Field(default=None, description="Which composites; both when unset.")
    run_date: date | None = Field(default=None, description="Acts as of this day (default: today, UTC).")


class Acquisition(Message):
    """``acquisitions``, the public contract: a Dynamic World image id or a Sentinel-2 product id has appeared."""

    image_id: str = Field(min_length=1, max_length=200)
    version_us: int | None = None
    footprint: dict[str, Any] | None = Field(default=None, description="GeoJSON geometry in WGS84, when known.")

    def subject(self) -> dict[str, Any]:
        return {"image": self.image_id}


class AoiRegistration(Message):
    """``aoi-registrations``: an AOI version came into being and wants its history."""

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)
    backfill_start: date

    def subject(self) -> dict[str, Any]:
        return {"aoi": [f"{self.aoi_id} v{self.aoi_version}"]}


class AoiRef(Message):
    """One version of one AOI."""

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)


class MeasurementRequest(Message):
    """``measurements``: measure each of these AOIs at each of these overpasses, with the images that exist by then."""

    overpass_ids: list[OverpassId] = Field(min_length=1, max_length=1_000)
    aois: list[AoiRef] = Field(min_length=1, max_length=1_000)

    def subject(self) -> dict[str, Any]:
        named = [f"{ref.aoi_id} v{ref.aoi_version}" for ref in self.aois[:_MOST_NAMED]]
        return {"aoi": named, "overpass": self.overpass_ids[:_MOST_NAMED]}
