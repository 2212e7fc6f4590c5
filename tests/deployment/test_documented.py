"""``terraform/README.md`` says what is so."""

import re

from tests.deployment.documented import README, TERRAFORM, blocks, written

TEXT = README.read_text(encoding="utf-8")
RESOURCES = "".join(path.read_text(encoding="utf-8") for path in TERRAFORM.glob("*.tf"))


def test_the_tables_of_inputs_and_outputs_are_those_of_the_code() -> None:
    assert written(TEXT) == TEXT, "python -m tests.deployment.documented"


def test_variables_and_outputs_are_described_and_in_order() -> None:
    for kind in ("variable", "output"):
        found = blocks(TERRAFORM / f"{kind}s.tf", kind)
        assert list(found) == sorted(found)
        for name, body in found.items():
            assert re.search(r'^  description = ".{20,}"$', body, re.M), name


def test_the_roles_of_whoever_applies_cover_every_kind_of_resource() -> None:
    rows = re.findall(r"^\| `(roles/[\w.]+)` \| (.*) \|$", TEXT, re.M)
    covered = [kind for _, kinds in rows for kind in re.findall(r"`(google_\w+)`", kinds)]
    used = set(re.findall(r'^resource "(google_\w+)"', RESOURCES, re.M))
    assert len(set(covered)) == len(covered)
    assert set(covered) == used


def test_every_file_is_named() -> None:
    assert {path.name for path in TERRAFORM.glob("*.tf")} <= set(re.findall(r"`(\w+\.tf)`", TEXT))
