"""The JSON bodies on each topic, one model each. Unknown fields are refused."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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
    EVENTS = "events"
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

    job: Literal["discover", "composite", "record-passes", "alert-changes"]
    scope: Literal["frequent", "full"] = "full"
    period: Literal["month", "year"] | None = Field(default=None, description="Which composites; both when unset.")
    run_date: date | None = Field(default=None, description="Acts as of this day (default: today, UTC).")
    day: date | None = Field(default=None, description="record-passes: this day only, instead of one message a day.")


class Acquisition(Message):
    """``acquisitions``, the public contract: a Dynamic World image id or a Sentinel-2 product id has appeared."""

    image_id: str = Field(min_length=1, max_length=200)
    version_us: int | None = None
    footprint: dict[str, Any] | None = Field(default=None, description="GeoJSON geometry in WGS84, when known.")

    def subject(self) -> dict[str, Any]:
        return {"image": self.image_id}


class AoiRef(Message):
    """One version of one AOI."""

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)


class NewAoi(AoiRef):
    """An AOI version that came into being, and the first day of its history."""

    backfill_start: date

    def ref(self) -> AoiRef:
        return AoiRef(aoi_id=self.aoi_id, aoi_version=self.aoi_version)


class AoiRegistration(Message):
    """``aoi-registrations``: these AOI versions came into being together and want their history."""

    aois: list[NewAoi] = Field(min_length=1, max_length=100)

    def subject(self) -> dict[str, Any]:
        return {"aoi": [f"{new.aoi_id} v{new.aoi_version}" for new in self.aois[:_MOST_NAMED]]}


class MeasurementRequest(Message):
    """``measurements``: measure each of these AOIs at each of these overpasses, with the images that exist by then."""

    overpass_ids: list[OverpassId] = Field(min_length=1, max_length=1_000)
    aois: list[AoiRef] = Field(min_length=1, max_length=1_000)
    announce: bool = Field(default=False, description="Publish an event for each observation: news, not history.")

    def subject(self) -> dict[str, Any]:
        named = [f"{ref.aoi_id} v{ref.aoi_version}" for ref in self.aois[:_MOST_NAMED]]
        return {"aoi": named, "overpass": self.overpass_ids[:_MOST_NAMED]}


class EventType(StrEnum):
    """What ``events`` tells of; also the message attribute ``type``."""

    OBSERVATION_CREATED = "observation.created"
    CHANGE_FLAGGED = "change.flagged"


class ClassArea(Message):
    """Area of one class in an observation. No probability area where a scene carries labels only."""

    class_id: int
    class_name: str
    label_area_m2: float
    probability_area_m2: float | None = None


class ObservationCreated(Message):
    """An overpass was measured over an AOI, for the first time or more completely than before."""

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)
    overpass_id: OverpassId
    acquired_at: AwareDatetime
    coverage: float
    valid_area_m2: float
    aoi_area_m2: float
    classes: list[ClassArea]
    image_ids: list[str]


class ChangeFlagged(Message):
    """A month differs from the same month of earlier years by more than season: a flagged row of ``report_change``."""

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)
    aoi_label: str | None = None
    month: date
    class_id: int
    class_name: str
    composite_share: float
    mean_coverage: float
    baseline_years: int
    baseline_share: float
    change_share: float
    change_area_ha: float
    expected_change_area_ha: float


class Event(Message):
    """``events``: news for other systems, also sent as a webhook where one is configured.

    The same news has the same ``event_id`` however often it is published.
    """

    event_id: str = Field(pattern=r"^evt_[0-9a-f]{32}$")
    type: EventType
    timestamp: AwareDatetime
    data: ObservationCreated | ChangeFlagged

    def subject(self) -> dict[str, Any]:
        return {"event_id": self.event_id, "aoi": [f"{self.data.aoi_id} v{self.data.aoi_version}"]}
