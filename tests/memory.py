"""How much memory a piece of work takes, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

# ru_maxrss of a child begins with what its parent had
_PEAK = "[l for l in open('/proc/self/status') if l.startswith('VmHWM')][0].split()[1]"


def peaks_mib(script: str, *arguments: str) -> dict[str, int]:
    """The largest memory of the process so far, in MiB, at each call of ``peak(name)`` in a script."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc")
    head = f"def peak(name): print(name, int({_PEAK}) // 1024, sep='\\t')\n"
    command = [sys.executable, "-c", head + script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return {name: int(peak) for name, peak in (line.split("\t") for line in done.stdout.splitlines())}
