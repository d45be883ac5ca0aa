"""What the source of a tool says that it returns, without what every answer is wrapped in.

Enters: a reading. Leaves: paths and types of fields that are about the thing: page numbers, codes
and messages of the transport are no property of it, and nobody tells them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tdscaling.dataflow import fields
from tdscaling.drafting._read import Reading
from tdscaling.phrasing.names import split
from tdscaling.phrasing.verbs import listed

_ANYWHERE = listed("pagination paging pageinfo cursor cursors offset pages links hateoas")
"""Words of a field that steers paging."""
_NAMES = listed(
    """success error errors statuscode httpstatus errorcode errormessage errordescription requestid
    traceid correlationid apiversion took page perpage pagesize pagenumber currentpage nextpage
    lastpage previouspage prevpage totalpages pagecount hasmore hasnext hasnextpage next previous
    prev resultcount totalcount totalresults totalrecords totalitems totalrows recordstotal limit
    nextpagetoken nextlink self href etag kind object warnings status_code responsecode"""
)
_BESIDE = listed("message msg code status count total reasons detail details reason type")
"""Names that are the envelope's only where fields lie deeper or a result is reported beside."""
_REPORTS = listed("success error errors statuscode errorcode responsecode httpstatus")
_COUNTED = frozenset({"count", "total"})


def stated_fields(reading: Reading) -> list[tuple[tuple[str, ...], str]]:
    """Paths and types of the fields that the source of a tool states; none where it states none."""
    if not reading.tool.result:
        return [((name,), "") for name in reading.tool.returns]
    found = [(path, kind) for path, kind in fields(reading.tool.result) if kind != "boolean"]
    flat = {_flat(path[-1]) for path, _ in fields(reading.tool.result) if len(path) == 1}
    wrapped = bool(flat & _REPORTS) or any(len(path) > 1 for path, _ in found)
    return [(path, kind) for path, kind in found if not _is_envelope(path, wrapped, reading.verb)]


def _is_envelope(path: Sequence[str], wrapped: bool, verb: str) -> bool:
    words, last = {word for part in path for word in split(part)}, _flat(path[-1])
    if verb == "count" and (last in _COUNTED or words & _COUNTED):
        return False
    if words & _ANYWHERE or last in _NAMES:
        return True
    return wrapped and len(path) == 1 and last in _BESIDE


def _flat(name: str) -> str:
    return "".join(split(name))
