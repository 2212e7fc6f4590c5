"""Known vulnerabilities of what is deployed: ``python -m tests.deployment.audit PIP_AUDIT``.

pip-audit passes over packages that its source of vulnerabilities does not know, so a source that is out of reach looks
like a clean bill. Here that is said, and only a vulnerability that was found is a failure.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[2] / "functions" / "requirements.lock"
_TIMEOUT_SECONDS = 300


def verdict(report: dict[str, Any]) -> tuple[int, str]:
    """Exit code and what to print for pip-audit's JSON report."""
    packages = report["dependencies"]
    skipped = [p for p in packages if "skip_reason" in p]
    found = [(p, vulnerability) for p in packages for vulnerability in p.get("vulns", [])]
    if found:
        lines = [f"{p['name']} {p['version']}: {v['id']}, mended in {v['fix_versions'] or 'none'}" for p, v in found]
        return 1, "\n".join(lines)
    if len(skipped) == len(packages):
        return 0, "not audited: the source of vulnerabilities cannot be reached here"
    unknown = f"; not known to the source: {', '.join(p['name'] for p in skipped)}" if skipped else ""
    return 0, f"{len(packages) - len(skipped)} packages without a known vulnerability{unknown}"


def main(pip_audit: str) -> int:
    command = [pip_audit, "--requirement", str(LOCK), "--require-hashes", "--disable-pip", "--format", "json"]
    done = subprocess.run(
        [*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS
    )
    if not done.stdout.strip():
        sys.stdout.write(
            f"not audited: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no answer'}\n"
        )
        return 0
    code, text = verdict(json.loads(done.stdout))
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
