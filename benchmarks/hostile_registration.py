"""Thousands of hostile bodies against the running webhook, and how long the longest answer took:

    python -m benchmarks.hostile_registration [--bodies 5000] [--crafted 5000] [--files FOLDER]

So many of anything, so many around what has broken things, and what takes the most time and memory. FOLDER may hold
GeoJSON documents; each is posted as a registration too.
"""

import argparse
import base64
import hashlib
import hmac
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from local.stack import Stack
from tests.hostile import crafted_bodies, hostile_bodies, registration, worst_bodies


def answers(stack: Stack, bodies: list[bytes]) -> Iterator[tuple[int, str, float, float]]:
    """(status, content type, seconds, seconds of the processor) for each body, signed as it is.

    The last tells more where other work runs on the machine; the client's own part is in it.
    """
    key = base64.b64decode(stack.webhook_secret.removeprefix("whsec_"))
    with requests.Session() as session:
        for number, body in enumerate(bodies):
            webhook_id, stamp = f"msg_{number}", str(int(time.time()))
            signature = hmac.new(key, f"{webhook_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
            headers = {
                "webhook-id": webhook_id,
                "webhook-timestamp": stamp,
                "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
                "content-type": "application/json",
            }
            started, worked = time.perf_counter(), time.process_time()
            response = session.post(stack.webhook_url, data=body, headers=headers, timeout=60)
            taken = time.perf_counter() - started, time.process_time() - worked
            yield response.status_code, response.headers["content-type"], *taken


def generated(strategy: st.SearchStrategy[bytes], count: int) -> list[bytes]:
    """So many bodies from one of the tests' strategies, the same in each run."""
    found: list[bytes] = []

    @settings(
        max_examples=count, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(body: bytes) -> None:
        found.append(body)

    while len(found) < count:
        collect()
    return found[:count]


def from_files(folder: Path) -> list[bytes]:
    """Each GeoJSON file of a folder as a registration, or as it is when it is not JSON."""
    bodies = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".json", ".geojson"}):
        try:
            bodies.append(registration(json.loads(path.read_bytes())).encode())
        except (ValueError, RecursionError):
            bodies.append(path.read_bytes())
    return bodies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=5_000)
    parser.add_argument("--crafted", type=int, default=5_000)
    parser.add_argument("--files", type=Path)
    arguments = parser.parse_args()
    bodies = generated(hostile_bodies(), arguments.bodies) + generated(crafted_bodies(), arguments.crafted)
    bodies += list(worst_bodies().values()) + (from_files(arguments.files) if arguments.files else [])
    with tempfile.TemporaryDirectory() as folder:
        scenes = Path(folder) / "scenes"
        scenes.mkdir()
        with Stack(scenes, Path(folder) / "out", backfill_start=date(2021, 1, 1)) as stack:
            found = list(answers(stack, bodies))
    statuses = Counter(status for status, *_ in found)
    bad = sum(not (s == 202 or (400 <= s < 500 and kind == "application/problem+json")) for s, kind, *_ in found)
    seconds, worked = (sorted(times) for times in list(zip(*found, strict=True))[2:])
    print(
        f"{len(found)} bodies: {', '.join(f'{n} × {s}' for s, n in sorted(statuses.items()))}; {bad} answered wrongly"
    )
    print(f"median {seconds[len(seconds) // 2] * 1000:.0f} ms, longest {seconds[-1]:.2f} s")
    print(f"of the processor, longest {worked[-1]:.2f} s")


if __name__ == "__main__":
    main()
