"""What `map` and `starmap` have in common, whether they wait or are awaited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._checks import check_count
from ._exceptions import BadArguments, InvalidOption, TarpError
from ._progress import Bar, NoBar, count_of, make_bar


@dataclass(frozen=True)
class Calls:
    """The calls to make, and how."""

    calls: Iterator[tuple[Any, ...]]
    #: How many there will be, where that is known.
    count: int | None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    progress: bool = False
    window: int = 64
    jobs: bool = True
    ordered: bool = True
    return_exceptions: bool = False

    def __post_init__(self) -> None:
        check_count("window", self.window, 1)
        if not isinstance(self.kwargs, Mapping):
            raise BadArguments(f"kwargs is a dict of arguments, not a {type(self.kwargs).__name__}")

    @classmethod
    def of_items(cls, iterables: tuple[Iterable[Any], ...], options: Mapping[str, Any]) -> Calls:
        """Calls with an item of each of the iterables."""
        for iterable in iterables:
            if not isinstance(iterable, Iterable) and not hasattr(iterable, "__getitem__"):
                raise BadArguments(
                    f"map takes iterables of arguments, not a {type(iterable).__name__};"
                    " what is the same in every call goes into kwargs"
                )
        return cls(zip(*iterables), count_of(iterables), **options)

    @classmethod
    def of_arguments(cls, calls: Iterable[Iterable[Any]], options: Mapping[str, Any]) -> Calls:
        """Calls with the arguments that each item has."""
        return cls(map(_arguments, calls), count_of([calls]), **options)

    def bar(self, title: str) -> Bar:
        """A bar, where one is wanted."""
        return make_bar(title, self.count) if self.progress else NoBar()

    def given(self, error: TarpError, index: int) -> TarpError:
        """The failure of the call with this index, as its result; raises it if it ends the rest."""
        if self.return_exceptions:
            return error
        if hasattr(error, "add_note"):
            error.add_note(
                f"this was the call for item {index}; return_exceptions=True gives the failures"
                " among the results, and makes all calls"
            )
        raise error


def check_no_key(key: str | None) -> None:
    """Refuses the idempotency key of one call for many."""
    if key is not None:
        raise InvalidOption("an idempotency key is for one call, and not for those of a map")


def _arguments(call: Any) -> tuple[Any, ...]:
    if not isinstance(call, Iterable):
        raise BadArguments(
            f"starmap takes the arguments of each call together, such as a tuple, not a"
            f" {type(call).__name__}"
        )
    return tuple(call)
