"""From docs/ and the code to a folder of pages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docsite import card_keys, command_line, interface
from docsite.arrangement import front_page

__all__ = ["build", "gather", "render"]

ROOT = Path(__file__).parents[1]
# A link out of docs/ leads to a file of the repository, which the site does not hold.
_OUTSIDE = re.compile(r"(?<!!)\[([^\]]*)\]\(\.\./[^)]*\)")


def gather(sources: Path) -> None:
    """Lay out in a folder what Sphinx reads: the pages of docs/, the reference, the settings."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
    pages = {name: _OUTSIDE.sub(r"\1", text) for name, text in pages.items()}
    pages["changelog"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    pages["card-keys"] = card_keys.page()
    pages["commands"] = command_line.page()
    pages["settings"] = interface.settings_page()
    pages["index"] = front_page([*pages, "interface"])
    for name, text in pages.items():
        (sources / f"{name}.md").write_text(text, encoding="utf-8")
    (sources / "interface").mkdir()
    for name, text in interface.pages().items():
        (sources / f"{name}.rst").write_text(text, encoding="utf-8")
    schema = json.dumps(card_keys.schema(), indent=2, ensure_ascii=False)
    (sources / "card.schema.json").write_text(schema + "\n", encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", sources / "images")
    shutil.copyfile(Path(__file__).with_name("conf.py"), sources / "conf.py")


def build(target: Path) -> int:
    """Build the site, replacing what the target folder held.

    Returns:
        0, or Sphinx's exit code when it warned of anything; then the old site stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".site-") as scratch:
        sources = Path(scratch) / "sources"
        sources.mkdir()
        gather(sources)
        return render(sources, target)


def render(sources: Path, target: Path) -> int:
    """Make pages of gathered sources; returns as `build` does."""
    made, doctrees = sources.with_name("made"), sources.with_name("doctrees")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(doctrees)]
    command = [sys.executable, "-m", "sphinx", *options, str(sources), str(made)]
    code = subprocess.run(command, check=False, cwd=ROOT).returncode
    if code == 0:
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    return code
