from __future__ import annotations

import csv
import importlib.metadata
import importlib.resources
import json
import os
import pkgutil
from pathlib import Path


def readings() -> list[float]:
    """Of a file that is named by its path from the project's folder."""
    with open("data/readings.csv", newline="") as file:
        return [float(row["value"]) for row in csv.DictReader(file)]


def everything_read() -> list[str]:
    """The same small file in every way in which programs read what they bring along."""
    resource = importlib.resources.files(__package__) / "data" / "limits.json"
    with importlib.resources.as_file(resource) as path:
        copied = path.read_text()
    beside = os.path.join(os.path.dirname(__file__), "data", "limits.json")
    with open(beside) as file:
        opened = file.read()
    package = Path(__file__).resolve().parent
    found = [path.name for path in package.glob("data/*.json")]
    walked = [name for _, _, names in os.walk(package / "data") for name in names]
    texts = {
        resource.read_text(),
        copied,
        opened,
        (package / "data" / "limits.json").read_text(encoding="utf-8"),
        pkgutil.get_data(__package__, "data/limits.json").decode(),
    }
    size = os.stat(beside).st_size
    modules = [module.name for module in pkgutil.iter_modules([str(package)])]
    (text,) = texts
    late = importlib.import_module("field_notes.late")
    return [json.loads(text)["unit"], *found, *walked, str(size), late.VALUE, *sorted(modules)]


def versions() -> dict[str, str]:
    names = ("jinja2", "MarkupSafe", "networkx")
    return {name: importlib.metadata.version(name) for name in names}
