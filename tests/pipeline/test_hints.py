"""From a notice of others to a measured row, over HTTP on the embedded stack."""

import json
from pathlib import Path
from typing import Any

import requests
from shapely import box
from shapely.geometry import mapping

from local.stack import Stack
from tests.notices import basic, data_space, sns, sns_event
from tests.scenes import write_scene
from tests.stacks import feature, register, rows, settle, start_stack

IMAGE = "20210703T023111_20210703T023105_T51TYL"
PRODUCT = "S2A_MSIL1C_20210703T023111_N0301_R046_T51TYL_20210703T041234"
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))


def send(stack: Stack, body: bytes, credentials: str = "") -> requests.Response:
    headers = {"Authorization": basic(credentials or stack.hint_credentials)}
    return requests.post(stack.hint_url, data=body, headers=headers, timeout=30)


def log_lines(folder: Path, function: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "out" / "functions.log").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["function"] == function]


def test_a_hint_ends_in_one_row_however_often_and_by_whomever_it_is_sent(tmp_path: Path) -> None:
    with start_stack(tmp_path, discover_window_days="20000") as stack:
        assert stack.addresses()["hint"] == stack.hint_url
        register(stack, feature("a", SQUARE))
        # before the image is there, nothing comes of it
        assert send(stack, data_space(PRODUCT)).json() == {"product_ids": [PRODUCT]}
        settle(stack)
        assert rows(stack, "observations") == []
        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
        assert send(stack, data_space(PRODUCT), "local:" + "x" * 43).status_code == 401
        settle(stack)
        assert rows(stack, "observations") == []
        for body in (data_space(PRODUCT), sns(PRODUCT), sns_event(sns(PRODUCT)), data_space(PRODUCT)):
            assert send(stack, body).status_code == 202
        settle(stack)
        assert [row["overpass_id"] for row in rows(stack, "observations_current")] == [IMAGE[:15]]
        assert [line["image"] for line in log_lines(tmp_path, "dispatch")] == [[PRODUCT]] * 5
    refused, *_ = (line for line in log_lines(tmp_path, "hint") if line["message"] != "done")
    assert (refused["message"], refused["severity"]) == ("refused: credentials", "WARNING")
