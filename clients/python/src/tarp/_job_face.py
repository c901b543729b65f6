"""What a job looks like, whether it is waited for or awaited."""

from __future__ import annotations

from dataclasses import replace

from . import _html
from ._exceptions import (
    Cancelled,
    DeadlineExceeded,
    Gone,
    Interrupted,
    NotFound,
    TarpError,
    TimedOut,
    UnreadableResult,
)
from ._protocol import Options
from ._receipt import Receipt
from ._replies import Outcome
from ._status import JobStatus

_STATES: dict[type, str] = {
    Cancelled: "cancelled",
    DeadlineExceeded: "timed_out",
    Interrupted: "interrupted",
}


class JobFace:
    """A call that goes on at the host, wherever its caller is."""

    def __init__(self, job_id: str, status: JobStatus | None, options: Options) -> None:
        self._id = job_id
        self._last = status
        self._options = options
        self._receipt: Receipt | None = None

    @property
    def id(self) -> str:
        """What finds the job again: `host.job(id)`, from any process."""
        return self._id

    @property
    def last(self) -> JobStatus | None:
        """The job as it was when the host last spoke of it; None if it has not."""
        return self._last

    @property
    def receipt(self) -> Receipt | None:
        """What the job has used, as far as is known here; None if nothing is."""
        if self._receipt is not None:
            return self._receipt
        return self._last.receipt if self._last is not None else None

    @property
    def _is_known_to_its_end(self) -> bool:
        """Whether nothing that the host could say would be news."""
        return self._last is not None and self._last.ended is not None

    def _ended_with(self, end: Outcome | TarpError) -> None:
        """Keeps in mind how it ended; when, only the host knows."""
        self._receipt = getattr(end, "receipt", None)
        # What these say of the result, they do not say of the job.
        is_told = not isinstance(end, (UnreadableResult, NotFound, Gone))
        if self._last is not None and not self._last.has_ended and is_told:
            is_failure = isinstance(end, TarpError)
            state = _STATES.get(type(end), "failed") if is_failure else "succeeded"
            self._last = replace(self._last, state=state, position=None)

    def _not_in_time(self, timeout: float | None) -> TimedOut:
        return TimedOut(f"the job {self._id} had no result after {timeout or 0:g} s; it goes on")

    def _left_alone(self) -> str:
        return f'the job goes on; host.job("{self._id}") comes back to it'

    def __repr__(self) -> str:
        if self._last is None:
            return f"<job {self._id}>"
        return f"<job {self._id} of {self._last.procedure}: {self._last}>"

    def _repr_html_(self) -> str:
        return _html.job(self._id, self._last, self.receipt)
