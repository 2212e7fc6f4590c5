"""Who may push, and what a push leaves in the log."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt
from shapely import box
from shapely.geometry import mapping

from local.stack import FUNCTIONS, Stack
from shared.errors import RetryLaterError, SettingsError, UntrustedCallerError
from shared.messages import push_token
from shared.settings import Settings, load_settings
from tests.stacks import event, feature, rows, signed_post, start_stack

ACCOUNT = "push@some-project.iam.gserviceaccount.com"
AUDIENCE = "https://europe-west1-some-project.cloudfunctions.net/measure"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))


class Key:
    """An RSA key with a certificate of its own, as Google publishes them."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self._signer = crypt.RSASigner.from_string(text.decode(), key_id="k1")

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        usual = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": ACCOUNT, "email_verified": True}
        encoded: bytes = jwt.encode(self._signer, {**usual, "iat": now, "exp": now + 3600, **claims})
        return encoded.decode()


@pytest.fixture(scope="module")
def google() -> Key:
    return Key()


@pytest.fixture
def stack(tmp_path: Path, google: Key, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setattr(push_token, "_certificates", lambda period: {"k1": google.certificate})
    with start_stack(tmp_path, push_service_account=ACCOUNT, push_audience=AUDIENCE) as running:
        yield running


def push(stack: Stack, function: str, headers: dict[str, str], attempt: int = 1) -> int:
    body = {"overpass_ids": ["20210703T023111"], "aois": [{"aoi_id": "a", "aoi_version": 1}]}
    envelope = {
        "message": {"data": base64.b64encode(json.dumps(body).encode()).decode(), "messageId": "m1", "attributes": {}},
        "subscription": "projects/p/subscriptions/s",
        "deliveryAttempt": attempt,
    }
    return int(stack._functions.post(f"/{function}/", json=envelope, headers=headers).status_code)


def unsigned(token: str) -> str:
    """The same claims with algorithm none and no signature."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "k1"}).encode()).decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


def redacted(token: str) -> str:
    """The token as Cloud Run hands it on when it has checked the signature."""
    return f"{token.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"


def deep(token: str) -> str:
    """A token whose header nests thousands of lists."""
    header = base64.urlsafe_b64encode(b'{"alg": ' + b"[" * 3_000 + b"]" * 3_000 + b"}").decode().rstrip("=")
    return f"{header}.{token.split('.', 1)[1]}"


@pytest.mark.parametrize("function", ["measure", "record_dead_letter"])
def test_a_push_with_the_right_token_is_let_in(stack: Stack, google: Key, function: str) -> None:
    assert push(stack, function, {"Authorization": f"Bearer {google.token()}"}) == 200


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name not in {"register_aoi", "hint"}])
def test_a_push_without_the_right_token_is_refused_and_does_nothing(stack: Stack, google: Key, function: str) -> None:
    past = int(time.time()) - 7200
    wrong = [
        "",
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "Bearer nonsense",
        f"Bearer {google.token(aud='https://elsewhere.example')}",
        f"Bearer {google.token(email='other@some-project.iam.gserviceaccount.com')}",
        f"Bearer {google.token(email_verified=False)}",
        f"Bearer {google.token(email_verified='true')}",
        f"Bearer {google.token(iss='https://accounts.example')}",
        f"Bearer {google.token(iat=past, exp=past + 3600)}",
        f"Bearer {google.token(iat=past + 14_400, exp=past + 18_000)}",
        f"Bearer {Key().token()}",
        f"Bearer {unsigned(google.token())}",
        f"Bearer {google.token()[:-20]}",
        f"Bearer {deep(google.token())}",
    ]
    before = rows(stack, "dead_letters")
    for value in wrong:
        headers = {"Authorization": value} if value else {}
        assert push(stack, function, headers) == 401, value[:60]
    assert rows(stack, "dead_letters") == before


def test_a_signature_that_cloud_run_removed_counts_on_cloud_run_only_and_claims_still_count(
    google: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_token, "_certificates", lambda period: {"k1": google.certificate})
    settings = Settings(project="some-project", push_service_account=ACCOUNT, push_audience=AUDIENCE)
    with pytest.raises(UntrustedCallerError):
        push_token.require_push_account(f"Bearer {redacted(google.token())}", settings)
    monkeypatch.setenv("K_SERVICE", "landcover-measure")
    push_token.require_push_account(f"Bearer {redacted(google.token())}", settings)
    push_token.require_push_account(f"Bearer {google.token()}", settings)
    past = int(time.time()) - 7200
    for wrong in (
        {"aud": "https://elsewhere.example"},
        {"email": "other@some-project.iam.gserviceaccount.com"},
        {"email_verified": "true"},
        {"iss": "https://accounts.example"},
        {"iat": past, "exp": past + 3600},
        {"iat": past + 14_400, "exp": past + 18_000},
        {"exp": None},
    ):
        with pytest.raises(UntrustedCallerError):
            push_token.require_push_account(f"Bearer {redacted(google.token(**wrong))}", settings)
    for token in (unsigned(google.token()), google.token()[:-20], Key().token(), redacted("nonsense")):
        with pytest.raises(UntrustedCallerError):
            push_token.require_push_account(f"Bearer {token}", settings)


def test_certificates_that_cannot_be_had_are_a_reason_to_retry_that_the_log_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_token._certificates.cache_clear()
    monkeypatch.setattr(push_token, "_CERTIFICATES_URL", "http://127.0.0.1:1/certs")
    settings = Settings(project="some-project", push_service_account=ACCOUNT, push_audience=AUDIENCE)
    with pytest.raises(RetryLaterError, match="certificates"):
        push_token.require_push_account("Bearer x.y.z", settings)
    with start_stack(tmp_path, push_service_account=ACCOUNT, push_audience=AUDIENCE) as stack:
        assert push(stack, "measure", {"Authorization": "Bearer x.y.z"}) == 500
    (line,) = log_lines(tmp_path)
    assert (line["severity"], line["message"], line["function"]) == ("WARNING", "will be retried", "measure")
    assert "certificates" in line["error"]


def test_on_cloud_run_no_push_is_let_in_where_no_account_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(project="some-project")
    push_token.require_push_account(None, settings)
    monkeypatch.setenv("K_SERVICE", "landcover-measure")
    with pytest.raises(UntrustedCallerError, match="no account that may push is set"):
        push_token.require_push_account("Bearer x.y.z", settings)


def test_account_and_audience_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDCOVER_PROJECT", "some-project")
    monkeypatch.setenv("LANDCOVER_PUSH_SERVICE_ACCOUNT", ACCOUNT)
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match="set both, or neither"):
        load_settings()
    load_settings.cache_clear()


def log_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / "functions.log").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "header", [{"X-Cloud-Trace-Context": f"{TRACE}/123;o=1"}, {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}]
)
def test_each_outcome_is_one_line_that_names_message_aoi_overpass_attempt_and_trace(
    tmp_path: Path, header: dict[str, str]
) -> None:
    with start_stack(tmp_path) as stack:
        assert push(stack, "measure", header, attempt=3) == 200
        assert push(stack, "discover", header) == 200
        body = event("aoi.registered", feature("a", SQUARE))
        assert signed_post(stack.webhook_url, stack.webhook_secret, body).status_code == 202
    done, dead, *later = log_lines(tmp_path)
    # what the registration set off may be logged before its own answer
    registered = next(line for line in later if line["function"] == "register_aoi")
    assert {"severity": "INFO", "message": "done", "function": "measure", "message_id": "m1"}.items() <= done.items()
    assert (done["aoi"], done["overpass"], done["attempt"]) == (["a v1"], ["20210703T023111"], 3)
    assert done["logging.googleapis.com/trace"] == f"projects/local-project/traces/{TRACE}"
    assert (dead["severity"], dead["function"], dead["message"]) == ("ERROR", "discover", "dead letter")
    assert registered["function"] == "register_aoi"
    assert registered["aoi"] == ["a"]
