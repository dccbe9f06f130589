"""Responses that contain answers: as a stream in the requested format, or as messages of a conversation."""

from collections.abc import Sequence

from waypost_worker.chat.answer_stream import AnswerStream
from waypost_worker.chat.unfinished import fill_in
from waypost_worker.chat.wire_formats import FORMATS, UI_HEADERS, UI_MEDIA_TYPE, encode_answer
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.images import image_bytes
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import InvalidParameter
from waypost_worker.http.messages import Response
from waypost_worker.http.open_streams import Place
from waypost_worker.http.streams import stream_response


def wanted_format(context: RequestContext) -> str | None:
    """The format that the request names, in `?format=` or `Accept`; `None` if it names none.

    Raises:
        InvalidParameter
    """
    named = context.query.get("format")
    if named is not None and named not in FORMATS:
        raise InvalidParameter(f"format is one of {', '.join(sorted(FORMATS))}.")
    wants_ui = UI_MEDIA_TYPE in (context.request.headers.get("accept") or "")
    return named or ("ui" if wants_ui else None)


def answer_response(context: RequestContext, place: Place, answering: AnswerStream, wanted: str | None) -> Response:
    """The stream of an answer at `place`, in the format `wanted`; `None`: that of its question."""
    info = answering.info
    name = wanted or ("ui" if info.is_ui else "events")
    body = encode_answer(answering.events, FORMATS[name](info))
    return stream_response(body, context.isolate, place, headers=UI_HEADERS if name == "ui" else {})


async def shown(context: RequestContext, conversation: Conversation, items: Sequence[ChatMessage]) -> list[ChatMessage]:
    """`items` of `conversation` as a client gets them: with their images, and with the text so far in answers that are
    still being generated.

    Raises:
        Busy: too many images are on their way to clients.
        StorageUnavailable, BudgetSpent
    """
    filled = await fill_in(items, context.chunks, context.clock, context.settings.plan)
    return await with_images(context, conversation, filled)


async def with_images(
    context: RequestContext, conversation: Conversation, items: Sequence[ChatMessage]
) -> list[ChatMessage]:
    """`items` of `conversation` with their images.

    Raises:
        Busy: too many images are on their way to clients.
        StorageUnavailable, BudgetSpent
    """
    await context.loads.take(image_bytes(items))
    return await conversation.shown(items)
