"""Which bodies are read at all: as they are, never packed, and a form where a form is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar.enums import RequestEncodingType
from litestar.params import BodyKwarg

from web.problems import Problem

if TYPE_CHECKING:
    from litestar import Request

_AS_IT_IS = ("", "identity")


async def refuse_unreadable(request: Request[Any, Any, Any]) -> None:
    """Raise the 415 for a packed body (it could unpack to any size), or one that is no form, before it is read."""
    packing = request.headers.get("content-encoding", "").strip().lower()
    if packing not in _AS_IT_IS:
        detail = f"the body is packed ({packing[:40]}): send it as it is, without Content-Encoding"
        raise Problem(415, "packed_body", detail)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if _wants_form(request) and kind != RequestEncodingType.MULTI_PART:
        detail = f"the body is {kind[:40] or 'of no kind'}: send multipart/form-data, the file as its part called file"
        raise Problem(415, "no_form", detail)


def _wants_form(request: Request[Any, Any, Any]) -> bool:
    field = request.route_handler.parsed_data_field
    told = None if field is None else field.kwarg_definition
    return isinstance(told, BodyKwarg) and told.media_type == RequestEncodingType.MULTI_PART
