"""Every setting of the deployed functions, read from environment variables ``LANDCOVER_*``.

Documented once, here; the README table is checked against this model by a test.
"""

from datetime import date
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import Field, Json, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.clients import MOST_CLIENTS, Client, ClientName, form_fault, owner_fault, secrets_of
from shared.credentials import form_fault as credentials_fault
from shared.errors import SettingsError

DYNAMIC_WORLD_START = date(2015, 6, 27)

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,1023}$")]


class Settings(BaseSettings):
    """Settings of one deployment. Unknown values are refused with what was found and what was expected."""

    model_config = SettingsConfigDict(env_prefix="LANDCOVER_", frozen=True, hide_input_in_errors=True)

    project: str = Field(
        pattern=r"^[a-z][a-z0-9:.-]{2,62}$",
        description="Google Cloud project that owns topics and dataset, and that Earth Engine bills.",
    )
    dataset: Identifier = Field(default="landcover", description="BigQuery dataset.")
    messaging_prefix: str = Field(
        default="",
        pattern=r"^([a-z][a-z0-9-]{0,30})?$",
        description="What the names of topics and subscriptions begin with; Terraform sets it.",
    )
    collection: str = Field(default="GOOGLE/DYNAMICWORLD/V1", description="Earth Engine image collection to read.")
    classify: Literal["off", "gaps", "always"] = Field(
        default="gaps",
        description="Passes that the network classifies: none, those that Dynamic World left out or has published "
        "nothing of for long, or all that are not measured yet, without waiting for it.",
    )
    classify_after_hours: float = Field(
        default=48,
        ge=0,
        description="How long Dynamic World may take to publish an image before the network classifies the pass.",
    )
    network_in_summaries: Literal["never", "fill", "all"] = Field(
        default="fill",
        description="Whether summaries use the network's rows: never, in months with fewer than two others, or all.",
    )
    pass_collection: str = Field(
        default="COPERNICUS/S2_HARMONIZED",
        description="Earth Engine collection of all Sentinel-2 scenes, which tells cloud from a missing image.",
    )
    earth_engine_url: str | None = Field(
        default=None, description="Earth Engine endpoint; unset means the real service."
    )
    earth_engine_deadline_seconds: float = Field(
        default=330,
        gt=0,
        description="Client deadline of one Earth Engine request (the service stops at 300 s).",
    )
    earth_engine_patience_seconds: float = Field(
        default=60,
        gt=0,
        description="How long a passing error of Earth Engine is tried again before the message is left to Pub/Sub.",
    )
    push_service_account: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Account whose identity token every push must carry; unset means no check (embedded stack).",
    )
    push_audience: str | None = Field(default=None, description="Audience that the identity token must name.")
    clients: Json[Annotated[dict[ClientName, Client], Field(max_length=MOST_CLIENTS)]] = Field(
        default="{}",  # type: ignore[arg-type]  # read as what is given
        description="Clients by name, as JSON: scopes, max_registered_aois, max_registered_km2, event_url of each.",
    )
    webhook_secrets: SecretStr = Field(
        default=SecretStr(""),
        description="Standard Webhooks secrets (whsec_…; a client's NAME:whsec_…), by spaces; several while rotating.",
    )
    event_url: str | None = Field(
        default=None,
        pattern=r"^https://[^\s/@?#]+(/\S*)?$",
        description="Address that events are sent to as signed webhooks; unset means none.",
    )
    event_secrets: SecretStr = Field(
        default=SecretStr(""),
        description="Standard Webhooks secrets (whsec_…; a client's NAME:whsec_…) that sign events, by spaces.",
    )
    hint_credentials: SecretStr = Field(
        default=SecretStr(""),
        description="Who may send early hints, and with what password (NAME:PASSWORD), by spaces; unset means nobody.",
    )
    max_hints_per_hour: int = Field(
        default=3_000, gt=0, description="Most products of early hints that are passed on in an hour; more is refused."
    )
    max_body_bytes: int = Field(default=5_000_000, gt=0, description="Largest webhook body accepted.")
    max_body_seconds: float = Field(
        default=20, gt=0, description="How long a webhook body may take to arrive, in seconds."
    )
    max_features: int = Field(default=1_000, gt=0, description="Most AOIs in one webhook call.")
    max_vertices: int = Field(default=20_000, gt=0, description="Most positions in one AOI.")
    max_area_km2: float = Field(default=10_000, gt=0, description="Largest AOI accepted, in km².")
    max_extent_deg: float = Field(
        default=20, gt=0, description="Largest width and height of the box around one AOI, in degrees."
    )
    max_registered_aois: int = Field(
        default=100_000, gt=0, description="Most AOIs in the register; a call that would add more is refused."
    )
    max_registered_km2: float = Field(
        default=1_000_000,
        gt=0,
        description="Most km² of all AOIs in the register together; a call that would add more is refused.",
    )
    max_history_eecu_hours: float = Field(
        default=150,
        gt=0,
        description="Most EECU-hours that the history of one webhook call may be estimated at; more is refused.",
    )
    backfill_start: date = Field(
        default=DYNAMIC_WORLD_START,
        description="First day measured for a new AOI when the registration names none; of a day to come, the day of "
        "the registration.",
    )
    discover_window_days: int = Field(default=45, gt=0, description="Acquisition window that discover lists, in days.")
    discover_settle_minutes: float = Field(
        default=60,
        ge=0,
        description="How long a new image waits for the other tiles of its overpass, so that an AOI is measured once.",
    )
    baseline_year: int = Field(
        default=2020,
        ge=0,
        le=2100,
        description="Year that every other one is compared with, beside the last year seen before it; 0 means none.",
    )
    coverage_floor: float = Field(
        default=0.2, ge=0, le=1, description="Observations under this coverage are left out of summaries."
    )
    layer_budget: int = Field(
        default=50,
        gt=0,
        le=50,
        description="Most overpasses or composites (reduceRegions) in one Earth Engine request.",
    )
    pair_budget: int = Field(
        default=1_000, gt=0, le=1_000, description="Most AOI × overpass pairs in one Earth Engine request."
    )
    pixel_budget: int = Field(
        default=20_000_000,
        gt=0,
        description="Most AOI pixels × overpasses in one Earth Engine request for observations (twenty bands).",
    )
    label_pixel_budget: int = Field(
        default=1_000_000_000,
        gt=0,
        description="Most AOI pixels × overpasses in one Earth Engine request for composites (labels only).",
    )
    max_watched_km2: float = Field(
        default=200, gt=0, description="Largest AOI whose pixels are watched for change, in km²."
    )
    max_bytes_billed: int = Field(
        default=100_000_000_000, gt=0, description="Most bytes that one query of a function may read; more is refused."
    )
    payload_budget_bytes: int = Field(
        default=4_000_000,
        gt=0,
        description="Most bytes of AOI geometry in one Earth Engine request (limit 10 MB).",
    )

    @field_validator("webhook_secrets", "event_secrets")
    @classmethod
    def _secrets_can_sign(cls, value: SecretStr) -> SecretStr:
        if fault := form_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("hint_credentials")
    @classmethod
    def _senders_can_be_known(cls, value: SecretStr) -> SecretStr:
        if fault := credentials_fault(value):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _account_and_audience(self) -> Self:
        if (self.push_service_account is None) != (self.push_audience is None):
            raise ValueError("PUSH_SERVICE_ACCOUNT and PUSH_AUDIENCE: set both, or neither")
        if self.event_url is not None and not secrets_of(None, self.event_secrets):
            raise ValueError("EVENT_URL: events are sent signed only, and EVENT_SECRETS has none of the operator's")
        return self

    @model_validator(mode="after")
    def _secrets_have_owners(self) -> Self:
        for name, secrets in (("WEBHOOK_SECRETS", self.webhook_secrets), ("EVENT_SECRETS", self.event_secrets)):
            if fault := owner_fault(secrets, self.clients):
                raise ValueError(f"{name}: {fault}")
        # functions that send no events are not given the secrets
        if self.event_secrets.get_secret_value():
            for client, about in self.clients.items():
                if about.event_url is not None and not secrets_of(client, self.event_secrets):
                    raise ValueError(f"CLIENTS: events are sent signed only, and EVENT_SECRETS has none of {client}")
        return self


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings of this process.

    Raises SettingsError naming each environment variable that is missing or malformed.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"LANDCOVER_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise SettingsError(f"settings are incomplete or malformed: {faults}") from None
