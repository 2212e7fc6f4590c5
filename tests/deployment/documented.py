"""Tables of ``terraform/README.md`` that are made of the code: ``python -m tests.deployment.documented`` writes them."""

import re
from pathlib import Path

from benchmarks import monthly_cost

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
README = TERRAFORM / "README.md"


def tables() -> dict[str, str]:
    """Each table by the name of its place in the README."""
    return {"inputs": _inputs(), "outputs": _outputs(), "costs": monthly_cost.table()}


def written(text: str) -> str:
    """The README's text with its tables as they should be."""
    for name, table in tables().items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        text = place.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)
    return text


def blocks(path: Path, kind: str) -> dict[str, str]:
    """The body of each block of a kind by its name, in the order of the file."""
    return dict(re.findall(rf'^{kind} "([a-z_]+)" {{\n(.*?)^}}', path.read_text(encoding="utf-8"), re.M | re.S))


def _inputs() -> str:
    lines = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for name, body in blocks(TERRAFORM / "variables.tf", "variable").items():
        kind = _attribute(body, "type")
        if kind.endswith("({"):
            kind = kind.removesuffix("({") + ")" * kind.removesuffix("({").count("(")
        default = f"`{value}`" if (value := _attribute(body, "default")) else "required"
        lines.append(f"| `{name}` | {kind} | {default} | {_attribute(body, 'description')} |")
    return "\n".join(lines)


def _outputs() -> str:
    lines = ["| output | meaning |", "|---|---|"]
    for name, body in blocks(TERRAFORM / "outputs.tf", "output").items():
        lines.append(f"| `{name}` | {_attribute(body, 'description')} |")
    return "\n".join(lines)


def _attribute(body: str, name: str) -> str:
    found = re.search(rf"^  {name} += (.*)$", body, re.M)
    text = found[1] if found else ""
    return text[1:-1].replace('\\"', '"') if text.startswith('"') and name == "description" else text


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
