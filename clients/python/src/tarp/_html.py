"""How hosts, procedures and jobs look in a notebook; what came from outside is escaped."""

from __future__ import annotations

from html import escape

from ._catalog import Catalog, ProcedureInfo
from ._receipt import Receipt
from ._status import JobStatus

_MAX_ROWS = 200


def host(url: str, catalog: Catalog) -> str:
    """A table of a host's procedures, and what is wrong."""
    problems = "".join(
        f"<li>{_code(str(problem.get('file')))}: {escape(str(problem.get('message')))}</li>"
        for problem in catalog.problems
    )
    trouble = f"<p>Problems:</p><ul>{problems}</ul>" if problems else ""
    title = f"<p>TARP host at {_code(url)}</p>"
    return f"<div>{title}{_table(list(catalog.procedures.values()))}{trouble}</div>"


def namespace(path: str, catalog: Catalog) -> str:
    """A table of the procedures of a namespace."""
    infos = [info for name, info in catalog.procedures.items() if name.startswith(f"{path}/")]
    return f"<div><p>{_code(path)}</p>{_table(infos)}</div>"


def procedure(info: ProcedureInfo) -> str:
    """A procedure's signature and documentation."""
    words = escape(info.documentation).replace("\n", "<br>")
    return f"<div>{_code(f'{info.name}{info.signature}')}<p>{words}</p></div>"


def job(job_id: str, status: JobStatus | None, receipt: Receipt | None) -> str:
    """A job's state, its progress as a bar, and what it used."""
    if status is None:
        return f"<div>job {_code(job_id)}</div>"
    rows = [("procedure", _code(status.procedure)), ("state", escape(str(status)))]
    fraction = status.progress and status.progress.fraction
    if fraction is not None and not status.has_ended:
        rows.append(("progress", f'<progress max="1" value="{fraction:.4f}"></progress>'))
    if status.submitted:
        rows.append(("submitted", escape(status.submitted.isoformat(" ", "seconds"))))
    if receipt is not None and receipt.fuel:
        used = f"{receipt.fuel:,} fuel, {receipt.peak_memory:,} bytes, {receipt.run_us:,} µs"
        rows.append(("used", escape(used)))
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<div><p>job {_code(job_id)}</p><table>{cells}</table></div>"


def _table(infos: list[ProcedureInfo]) -> str:
    rows = "".join(
        f"<tr><td>{_code(info.name.replace('/', '.'))}</td>"
        f"<td>{_code(str(info.signature))}</td>"
        f"<td>{escape(info.documentation.partition(chr(10))[0])}</td></tr>"
        for info in infos[:_MAX_ROWS]
    )
    more = len(infos) - _MAX_ROWS
    rest = f"<p>and {more} more</p>" if more > 0 else ""
    head = "<tr><th>procedure</th><th>signature</th><th>documentation</th></tr>"
    return f"<table>{head}{rows}</table>{rest}"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
