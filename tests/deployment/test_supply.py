"""What is deployed beside our own code: pinned, whole, and looked at."""

import re
from pathlib import Path

from packaging.requirements import Requirement

from tests.deployment.audit import LOCK, verdict

ROOT = Path(__file__).resolve().parents[2]


def names(text: str) -> dict[str, str]:
    """Normalised name of each pinned package, and its version."""
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.M)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned}


def test_the_lock_has_what_the_functions_ask_for_at_the_versions_that_are_tested() -> None:
    locked = names(LOCK.read_text(encoding="utf-8"))
    constraints = names((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    asked = [
        Requirement(line)
        for line in (ROOT / "functions" / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    for requirement in asked:
        assert requirement.specifier.contains(locked[requirement.name.lower()]), f"make lock: {requirement}"
    differing = {name: version for name, version in locked.items() if constraints.get(name, version) != version}
    assert differing == {}, "make lock"
    assert len(locked.keys() & constraints.keys()) > 40


def test_every_package_of_the_lock_has_hashes() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.read_text(encoding="utf-8").strip())[1:]
    assert len(entries) == len(names(LOCK.read_text(encoding="utf-8")))
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


def test_a_vulnerability_fails_the_audit_and_a_source_out_of_reach_is_said() -> None:
    fine = {"name": "a", "version": "1", "vulns": []}
    unknown = {"name": "b", "skip_reason": "Dependency not found"}
    bad = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
    assert verdict({"dependencies": [fine, unknown]})[0] == 0
    assert "not known to the source: b" in verdict({"dependencies": [fine, unknown]})[1]
    assert verdict({"dependencies": [unknown]}) == (
        0,
        "not audited: the source of vulnerabilities cannot be reached here",
    )
    code, text = verdict({"dependencies": [fine, unknown, bad]})
    assert (code, "c 2: PYSEC-1" in text) == (1, True)
