from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import jinja2

from . import filters


def render(template: str, values: dict[str, str]) -> str:
    environment = jinja2.Environment(autoescape=True)
    environment.filters["shout"] = filters.shout
    return environment.from_string(template).render(values)


def parse(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)


def decode(data: bytes, encoding: str) -> str:
    return data.decode(encoding)


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))
