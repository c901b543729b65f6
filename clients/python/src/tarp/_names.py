"""Names as authors wrote them, and their snake_case form, by which callers may write them too. The
host goes by the same rules."""

from __future__ import annotations

from collections.abc import Iterable


def snake_form(name: str) -> str:
    """The snake_case form of a name in any style: `p_ka` of `pKa`, `log_log` of `log-log`."""
    form: list[str] = []
    before = ""
    for index, character in enumerate(name):
        if not character.isalnum():
            before = ""
            continue
        after = name[index + 1 : index + 2]
        ends_capitals = before.isupper() and after.islower()
        begins = not before or (
            character.isupper() and (before.islower() or before.isnumeric() or ends_capitals)
        )
        if begins and form:
            form.append("_")
        form.append(character.lower())
        before = character
    return "".join(form)


def meant(given: str, names: Iterable[str]) -> str | None:
    """The name that is the same, or else the only one whose snake_case form it is."""
    known = list(names)
    if given in known:
        return given
    forms = [name for name in known if given and snake_form(name) == given]
    return forms[0] if len(forms) == 1 else None
