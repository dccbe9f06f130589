"""The content of a question: its text, or content parts if it has images. A part's text and URL are measured before
they are decoded: as a text with one emoji, an image would take four times its bytes."""

from typing import Any, Literal

import msgspec
from msgspec import Raw

from waypost_worker.chat.prompt import is_image, unsupported_part
from waypost_worker.conversations.images import SCHEME
from waypost_worker.errors import BodyTooLarge, InvalidBody
from waypost_worker.http.json_body import Body, decode_again
from waypost_worker.limits import MAX_CHAT_MESSAGE_LENGTH, MAX_IMAGE_BYTES, MAX_TEXT_PART_BYTES

NO_TEXT = Raw(b'""')


class TextPart(Body, frozen=True, rename=None, tag="text", tag_field="type"):
    """A part of a message that is a text."""

    text: str
    """The text."""


class ImageUrl(Body, frozen=True, rename=None):
    """The image itself."""

    url: str
    """A `data:` URL with base64."""
    detail: Literal["auto", "low", "high"] | None = None
    """How closely the model is to look at it, where it can choose."""


class ImagePart(Body, frozen=True, rename=None, tag="image_url", tag_field="type"):
    """A part of a message that is an image."""

    image_url: ImageUrl
    """The image."""


class _SentText(TextPart, frozen=True, tag="text", tag_field="type"):
    text: Raw  # type: ignore[assignment]


class _SentUrl(ImageUrl, frozen=True):
    url: Raw  # type: ignore[assignment]


class _SentImage(ImagePart, frozen=True, tag="image_url", tag_field="type"):
    image_url: _SentUrl


def content_of(message: Raw, allowed: str) -> Any:
    """The content that `message` is: a text, or a list of parts. `allowed`: the parts that a model is given here, one
    of `PARTS`.

    Raises:
        BodyTooLarge, InvalidBody, UnknownField, UnsupportedPart
    """
    sent = bytes(message).strip()
    if not sent.startswith(b"["):
        return message_text(_text(Raw(sent), "message"))
    content = MessageContent(allowed)
    for number, part in enumerate(decode_again(sent, list[Raw])):
        place = f"message[{number}]"
        type_ = decode_again(bytes(part), _Kind).type
        if type_ == "text":
            if not content.add_text(decode_again(bytes(part), _SentText).text, place).strip():
                raise InvalidBody(f"The text of {place} is empty.")
        elif type_ == "image_url":
            image = decode_again(bytes(part), _SentImage).image_url
            content.add_image(image.url, type_, place, image.detail)
        else:
            raise unsupported_part(type_, allowed, place)
    return content.checked()


def message_text(text: str) -> str:
    """`text`, if it is neither blank nor too long.

    Raises:
        InvalidBody
    """
    if not text.strip():
        raise InvalidBody("The message is empty.")
    if len(text) > MAX_CHAT_MESSAGE_LENGTH:
        raise InvalidBody(f"A message may have {MAX_CHAT_MESSAGE_LENGTH} characters.")
    return text


class MessageContent:
    """Collects the parts of a message, of the types that are `allowed`."""

    def __init__(self, allowed: str) -> None:
        self._allowed = allowed
        self._texts: list[str] = []
        self._images: list[dict[str, Any]] = []
        self._image_bytes = 0

    def add_text(self, text: Raw, place: str) -> str:
        """Adds a text, and returns it.

        Raises:
            BodyTooLarge, InvalidBody
        """
        self._texts.append(_text(text, f"{place}.text"))
        return self._texts[-1]

    def add_image(self, url: Raw, type_: str, place: str, detail: str | None = None) -> None:
        """Adds an image. `type_`: of its part, for the error.

        Raises:
            BodyTooLarge, UnsupportedPart
        """
        image = {"url": _image_url(url), **({"detail": detail} if detail else {})}
        part = {"type": "image_url", "image_url": image}
        self._image_bytes += len(image["url"])
        if self._image_bytes > MAX_IMAGE_BYTES:
            raise images_too_large()
        if self._allowed == "text" or image["url"].startswith(SCHEME) or not is_image(part):
            raise unsupported_part(type_, self._allowed, place)
        self._images.append(part)

    def checked(self) -> Any:
        """The content: one text, or a text and images, or images alone.

        Raises:
            InvalidBody: nothing is in it, or its text is too long.
        """
        text = "".join(self._texts)
        if not self._images:
            return message_text(text)
        return [*([{"type": "text", "text": message_text(text)}] if text.strip() else []), *self._images]


def images_too_large() -> BodyTooLarge:
    """The error for a message with too much of images."""
    return BodyTooLarge(
        f"The images of a message may have {MAX_IMAGE_BYTES} bytes as data: URLs, which are three quarters of that as "
        "files: send smaller ones."
    )


class _Kind(msgspec.Struct):
    type: str


def _text(text: Raw, place: str) -> str:
    sent = bytes(text)
    if len(sent) > MAX_TEXT_PART_BYTES:
        raise BodyTooLarge(f"The text of a message may have {MAX_TEXT_PART_BYTES} bytes as JSON.")
    if not sent.startswith(b'"'):
        raise InvalidBody(f"The field `{place}` must be a text.")
    return decode_again(sent, str)


def _image_url(url: Raw) -> str:
    """The URL; empty if it can't be that of an image, since it has other characters than ASCII's."""
    sent = bytes(url)
    # Other characters than these would make it up to four times as large.
    if not sent.startswith(b'"') or not sent.isascii() or sent.count(b"\\u") != sent.count(b"\\u00"):
        return ""
    return decode_again(sent, str)
