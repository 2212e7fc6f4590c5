"""The JSON bodies on each topic, one model each.

Fields that a receiver does not know are ignored: messages wait for up to a month, and while a deployment rolls out two
versions run at once. For the same reason a new field always has a default.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from shared.errors import InvalidMessageError
from shared.imagery.names import parse_scene_name, sensing_time


def _read_by(reader: Callable[[str], Any]) -> AfterValidator:
    """Texts that a reader of ids takes; what it raises is a fault of the field."""

    def check(text: str) -> str:
        try:
            reader(text)
        except InvalidMessageError as error:
            raise ValueError(str(error)) from None
        return text

    return AfterValidator(check)


MOST_ID_CHARACTERS = 128
AoiId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=MOST_ID_CHARACTERS)]
OverpassId = Annotated[str, _read_by(sensing_time)]
SceneId = Annotated[str, Field(min_length=1, max_length=200), _read_by(parse_scene_name)]

# A log line names this many of each; Cloud Logging takes 256 kB a line.
_MOST_NAMED = 20


class Topic(StrEnum):
    """Every topic of the pipeline."""

    TICKS = "ticks"
    ACQUISITIONS = "acquisitions"
    AOI_REGISTRATIONS = "aoi-registrations"
    MEASUREMENTS = "measurements"
    CLASSIFICATIONS = "classifications"
    COMPOSITE_REQUESTS = "composite-requests"
    CHANGE_REQUESTS = "change-requests"
    TRANSITION_REQUESTS = "transition-requests"
    EVENTS = "events"
    DEAD_LETTERS = "dead-letters"


class Lane(StrEnum):
    """Message attribute ``lane`` on ``measurements``: a backfill never starves new acquisitions."""

    LIVE = "live"
    BACKFILL = "backfill"


class Message(BaseModel):
    """Base of all message bodies."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def subject(self) -> dict[str, Any]:
        """What the message is about, for logs: AOIs, overpasses, images."""
        return {}


class Tick(Message):
    """``ticks``: Cloud Scheduler asks for one job. ``full`` lists the whole window, ``frequent`` recent ingestions."""

    job: Literal["discover", "composite", "transition", "record-passes", "find-changes", "alert-changes"]
    scope: Literal["frequent", "full"] = "full"
    period: Literal["month", "year"] | None = Field(default=None, description="Which composites; both when unset.")
    run_date: date | None = Field(default=None, description="Acts as of this day (default: today, UTC).")
    day: date | None = Field(default=None, description="record-passes: this day only, instead of one message a day.")
    start: AwareDatetime | None = Field(default=None, description="discover: acquired from then to ``end`` only.")
    end: AwareDatetime | None = None
    after_aoi: str = Field(default="", description="composite, transition, find-changes: go on behind this AOI.")


class AcquiredImage(Message):
    """An image that appeared: its id, its version (``system:version``, µs), and its footprint, GeoJSON in WGS84."""

    image_id: SceneId
    version_us: int | None = None
    footprint: dict[str, Any] | None = Field(default=None, description="GeoJSON geometry in WGS84, when known.")


class Acquisition(AcquiredImage):
    """``acquisitions``, the public contract: a Dynamic World image id or a Sentinel-2 product id has appeared.

    ``also`` names more images of the same overpass, so that an AOI on several of them is measured once.
    """

    also: list[AcquiredImage] = Field(default=[], max_length=100)

    def images(self) -> list[AcquiredImage]:
        return [self, *self.also]

    def subject(self) -> dict[str, Any]:
        return {"image": [image.image_id for image in self.images()[:_MOST_NAMED]]}


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


class Progress(Message):
    """Where an invocation stopped in the middle of one AOI: the areas, in m², of the pieces that it measured.

    ``fingerprint`` tells of which images and cuts; the lists have the classes by value.
    """

    fingerprint: str
    pieces_done: int = Field(ge=1)
    aoi_m2: float
    valid_m2: float
    label_m2: list[float] = Field(min_length=9, max_length=9)
    probability_m2: list[float] | None = Field(default=None, min_length=9, max_length=9)
    transition_m2: dict[int, float] | None = Field(default=None, description="Of a pair of years: by code.")
    settled_m2: list[float] | None = Field(default=None, min_length=9, max_length=9, description="Of a composite.")
    filled_m2: float = Field(default=0.0, description="Of a composite.")
    mean_m2: list[float] | None = Field(default=None, min_length=9, max_length=9, description="Of a month's composite.")


class Work(Message):
    """Work that is handed on in smaller requests, or by a piece of it, when it does not fit an invocation."""

    divisor: int = Field(default=1, ge=1, description="What the budgets of a request are divided by.")
    progress: Progress | None = Field(default=None, description="What was measured of the single AOI and overpass.")


class MeasurementRequest(Work):
    """``measurements``: measure each of these AOIs at each of these overpasses, with the images that exist by then."""

    overpass_ids: list[OverpassId] = Field(min_length=1, max_length=1_000)
    aois: list[AoiRef] = Field(min_length=1, max_length=1_000)
    announce: bool = Field(default=False, description="Publish an event for each observation: news, not history.")

    def subject(self) -> dict[str, Any]:
        named = [f"{ref.aoi_id} v{ref.aoi_version}" for ref in self.aois[:_MOST_NAMED]]
        return {"aoi": named, "overpass": self.overpass_ids[:_MOST_NAMED]}


class ClassificationRequest(MeasurementRequest):
    """``classifications``: the same of overpasses that Dynamic World has no image of; the network measures them."""


class CompositeRef(AoiRef):
    """One composite: an AOI version and a month or a year by its first day."""

    period: Literal["month", "year"]
    period_start: date


class CompositeRequest(Work):
    """``composite-requests``: compute these composites, those of them that are still stale."""

    composites: list[CompositeRef] = Field(min_length=1, max_length=1_000)

    def subject(self) -> dict[str, Any]:
        named = [f"{ref.aoi_id} v{ref.aoi_version}" for ref in self.composites[:_MOST_NAMED]]
        return {"aoi": named, "period": [f"{c.period} {c.period_start}" for c in self.composites[:_MOST_NAMED]]}


class ChangeRef(AoiRef):
    """The patches of one year of an AOI version."""

    year: int = Field(ge=2015, le=2100)


class ChangeRequest(Message):
    """``change-requests``: find the patches of these AOIs and years, those of them that are still stale.

    ``divisor`` makes windows of pixels smaller than the budget.
    """

    changes: list[ChangeRef] = Field(min_length=1, max_length=1_000)
    divisor: int = Field(default=1, ge=1)

    def subject(self) -> dict[str, Any]:
        return {"aoi": [f"{ref.aoi_id} v{ref.aoi_version} {ref.year}" for ref in self.changes[:_MOST_NAMED]]}


class TransitionRef(AoiRef):
    """What became what in an AOI version between two years: ``year`` and the one that it is compared with, in order."""

    year: int = Field(ge=2015, le=2100)
    compared_with: Literal["previous", "baseline"]
    from_year: int = Field(ge=2015, le=2100)
    to_year: int = Field(ge=2015, le=2100)


class TransitionRequest(Work):
    """``transition-requests``: compute the transitions of these pairs of years, those of them that are still stale."""

    transitions: list[TransitionRef] = Field(min_length=1, max_length=1_000)

    def subject(self) -> dict[str, Any]:
        named = self.transitions[:_MOST_NAMED]
        return {"aoi": [f"{ref.aoi_id} v{ref.aoi_version} {ref.from_year}-{ref.to_year}" for ref in named]}


class EventType(StrEnum):
    """What ``events`` tells of; also the message attribute ``type``."""

    OBSERVATION_CREATED = "observation.created"
    CHANGE_CONFIRMED = "change.confirmed"
    CHANGE_WITHDRAWN = "change.withdrawn"


class ClassArea(Message):
    """Area of one class in an observation. No probability area where a scene carries labels only."""

    class_id: int
    class_name: str
    label_area_m2: float
    probability_area_m2: float | None = None


class ObservationCreated(Message):
    """An overpass was measured over an AOI, for the first time or with other images than before.

    Of several about one overpass that with the latest ``processed_at`` counts, within an hour the one with most images.
    """

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)
    overpass_id: OverpassId
    acquired_at: AwareDatetime
    coverage: float
    valid_area_m2: float
    aoi_area_m2: float
    classes: list[ClassArea]
    image_ids: list[str]
    image_versions: list[int] = Field(default=[], description="system:version of each image, µs.")
    listed_image_count: int = 0
    algorithm_versions: list[str] = []
    source: str | None = Field(default=None, description="dynamic_world or network.")
    processed_at: AwareDatetime | None = Field(default=None, description="When the images were listed.")


class ChangedPatch(Message):
    """A connected patch of ground that left its usual class: confirmed by four clear views in a row, or withdrawn.

    It happened after it was last seen as usual and before it was first seen otherwise, both medians over the patch.
    """

    aoi_id: AoiId
    aoi_version: int = Field(ge=1)
    aoi_label: str | None = None
    patch_id: str
    year: int
    from_class_id: int
    from_class_name: str
    to_class_id: int
    to_class_name: str
    area_ha: float
    limit_ha: float = Field(description="The least patch that is told of in this area.")
    happened_after: AwareDatetime | None = None
    happened_before: AwareDatetime
    confirmed_at: AwareDatetime
    withdrawn_at: AwareDatetime | None = None
    longitude: float
    latitude: float
    outline: dict[str, Any] = Field(description="GeoJSON geometry in WGS84.")
    controlled_by: Literal["limit", "false discovery rate"] = Field(
        default="limit", description="What keeps false alarms few: the limit alone while there is little quiet past."
    )


class Event(Message):
    """``events``: news for other systems, also sent as a webhook where one is configured.

    The same news has the same ``event_id`` however often it is published.
    """

    event_id: str = Field(pattern=r"^evt_[0-9a-f]{32}$")
    type: EventType
    timestamp: AwareDatetime
    data: ObservationCreated | ChangedPatch

    def subject(self) -> dict[str, Any]:
        return {"event_id": self.event_id, "aoi": [f"{self.data.aoi_id} v{self.data.aoi_version}"]}
