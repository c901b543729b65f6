"""A host whose data lies on a disk that can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host import Host, MakeHost, place


class Disk:
    """The disk under a host's data, which can be made to fail."""

    def __init__(self, trigger: Path) -> None:
        self.trigger = trigger

    @contextmanager
    def failing(self, what: str, error: int) -> Iterator[None]:
        place(f"{what} {error}".encode(), self.trigger)
        try:
            yield
        finally:
            self.trigger.unlink()


def host_on_disk(make_host: MakeHost, faults: Path, home: Path, config: str) -> tuple[Host, Disk]:
    """A host with data of its own below `home`, and the disk that it is on."""
    trigger, data = home / "trigger", home / "data"
    host = make_host(
        *("math", "jobs", "misbehave"),
        config=config,
        environment={
            "LD_PRELOAD": str(faults),
            "FAULTS_TRIGGER": str(trigger),
            "FAULTS_UNDER": str(data.resolve()),
        },
        start=False,
    )
    host.data = data
    return host.start(), Disk(trigger)
