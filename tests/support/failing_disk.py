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

    def under(self, folder: Path, faults: Path) -> dict[str, str]:
        """The environment of a host for which the folder is on this disk."""
        return {
            "LD_PRELOAD": str(faults),
            "FAULTS_TRIGGER": str(self.trigger),
            "FAULTS_UNDER": str(folder.resolve()),
        }

    @contextmanager
    def failing(self, what: str, error: int) -> Iterator[None]:
        place(f"{what} {error}".encode(), self.trigger)
        try:
            yield
        finally:
            self.trigger.unlink()


def host_on_disk(make_host: MakeHost, faults: Path, home: Path, config: str) -> tuple[Host, Disk]:
    """A host with data of its own below `home`, and the disk that it is on."""
    disk, data = Disk(home / "trigger"), home / "data"
    host = make_host(
        *("math", "jobs", "misbehave"),
        config=config,
        environment=disk.under(data, faults),
        start=False,
    )
    host.data = data
    return host.start(), disk
