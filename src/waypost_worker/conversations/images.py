"""The images of a conversation: each message's are stored under a key of their own, once, and the message has
references to them. So no reading of a history and no compaction takes the bytes of its images.

The images are written before their message, so a reader that finds a reference finds its image as soon as both writes
are visible. Keys live twice as long as the conversation; compaction writes again what has lived a quarter of its
lifetime. The newest `MAX_IMAGE_BYTES` of a conversation are kept: a note stands for an older image, and its key
expires. So do the keys of messages that a new turn replaced.

A reference is the URL of an image part: `waypost:image/{name}/{number}/{bytes}/{digest}/{media type}`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.kv.bulk import delete_all, get_all
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import cursor_of, image_key, images_prefix
from waypost_worker.kv.store import Kv, list_all
from waypost_worker.limits import MAX_ANSWER_SECONDS, MAX_IMAGE_BYTES, MIN_APART_BYTES

SCHEME = "waypost:image/"
OLDER = f"[An older image was left out: the newest {MAX_IMAGE_BYTES // 1024**2} MiB are kept.]"
MISSING = "[An image could not be found.]"
LIFETIMES = 2
"""Of its conversation, for which an image's key lives: a compaction may find it a little too young to be written again,
and the conversation may be read for 13/8 lifetimes until the next one."""

YOUNG_PART = 4
"""An image is written again once it has lived this part of its conversation's lifetime."""

IMAGE_FIRST_SECONDS = 60
"""How long an image may be stored before its message: two writes with all their repetitions, and the end of an answer
that is running still."""

_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,", re.IGNORECASE)
_REFERENCE = re.compile(
    rf"{SCHEME}([0-9a-f-]{{36}})/([0-9]{{1,4}})/([0-9]{{1,8}})/([0-9a-f]{{16}})/(image/[a-z0-9.+-]{{1,40}})"
)
_decode_urls = msgspec.json.Decoder(list[str]).decode

Images = Mapping[str, Sequence[str]]
"""The URLs of images, by the name under which those of one message are stored."""


class Reference(NamedTuple):
    """What a message has in place of an image: where the image is, its length, its digest, its type."""

    name: str
    number: int
    size: int
    digest: str
    media_type: str


def apart(items: Sequence[ChatMessage], new_name: Callable[[], str]) -> tuple[list[ChatMessage], dict[str, list[str]]]:
    """`items` with references in place of their images, and those images. `new_name`: makes a cursor."""
    images: dict[str, list[str]] = {}
    kept: list[ChatMessage] = []
    for item in items:
        urls = [url for part in _image_parts(item.content) if _is_apart(url := _url_of(part))]
        if urls:
            name = new_name()
            images[name] = urls
            item = _with_urls(item, _references(name, urls))
        kept.append(item)
    return kept, images


def references(items: Iterable[ChatMessage]) -> Iterator[Reference]:
    """The references in `items`, in their order."""
    for item in items:
        for part in _image_parts(item.content):
            if (reference := reference_in(_url_of(part))) is not None:
                yield reference


def reference_in(url: str) -> Reference | None:
    """The reference that `url` is; `None` if it is another URL."""
    match = _REFERENCE.fullmatch(url) if url.startswith(SCHEME) else None
    return Reference(match[1], int(match[2]), int(match[3]), match[4], match[5]) if match else None


def image_bytes(items: Iterable[ChatMessage]) -> int:
    """The bytes of the images in `items` that are stored apart, or are to be."""
    return sum(map(_size, (_url_of(part) for item in items for part in _image_parts(item.content))))


def newest_images(items: Sequence[ChatMessage], max_bytes: int = MAX_IMAGE_BYTES) -> list[ChatMessage]:
    """`items` with notes in place of all images but the newest `max_bytes`; a message's are kept together."""
    left = max_bytes
    shown: list[ChatMessage] = []
    for item in reversed(items):
        if size := image_bytes([item]):
            left -= size
            if left < 0:
                item = _with_urls(item, dict.fromkeys(_urls(item), ""), OLDER)
        shown.append(item)
    return shown[::-1]


def needed_after(cursor: str, before: Iterable[ChatMessage], after: Iterable[ChatMessage]) -> Callable[[str], bool]:
    """Whether an image's name is needed when what was said before `cursor` is deleted. `before`, `after`: the messages
    seen on each side. An image that neither has, and that is not old, may be of a message that is being written."""
    gone = {one.name for one in references(before)}
    kept = {one.name for one in references(after)}
    recent_ms = cursor_ms(cursor) - IMAGE_FIRST_SECONDS * 1000
    return lambda name: name in kept or (name not in gone and cursor_ms(name) > recent_ms)


def identified(content: Any) -> Any:
    """`content` with digests in place of images, for comparison: equal whether its images are apart or not."""
    if not any(True for _ in _image_parts(content)):
        return content
    return [_identified(part) for part in content]


class ImageStore:
    """The images of the conversation `name`, which lives for `ttl_seconds`."""

    def __init__(self, kv: Kv, name: str, ttl_seconds: int) -> None:
        self._kv = kv
        self._name = name
        self._ttl_seconds = ttl_seconds

    async def write(self, images: Images) -> None:
        """Stores `images`; on return they are in KV.

        Raises:
            StorageUnavailable, BudgetSpent: some of them may be stored; without a message they expire.
        """
        lifetime = LIFETIMES * self._ttl_seconds + MAX_ANSWER_SECONDS
        for name, urls in images.items():
            text = msgspec.json.encode(urls)
            await self._kv.put(image_key(self._name, name), text, ttl_seconds=lifetime)

    async def shown(self, items: Sequence[ChatMessage], known: Images | None = None) -> list[ChatMessage]:
        """`items` with their images in place of the references; a note where one is missing. `known`: those that need
        not be read.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        wanted = list(references(items))
        if not wanted:
            return list(items)
        known = known or {}
        found = await self._read(dict.fromkeys(one.name for one in wanted if one.name not in known))
        found |= known
        return [_with_images(item, found) for item in items]

    async def renew(
        self, items: Iterable[ChatMessage], written_ms: Mapping[str, int], now_ms: int, *, all_of_them: bool = False
    ) -> dict[str, int]:
        """Writes again those images of `items` that have lived a quarter of their conversation's lifetime, or
        `all_of_them`. `written_ms`: when images were written last, if that was not with their message. Returns the
        same, of `items` only.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        names = dict.fromkeys(one.name for one in references(items))
        kept = {name: ms for name, ms in written_ms.items() if name in names}
        due_ms = 0 if all_of_them else self._ttl_seconds * 1000 // YOUNG_PART
        old = [name for name in names if now_ms - kept.get(name, cursor_ms(name)) >= due_ms]
        found = await self._read(old) if old else {}
        await self.write(found)
        return kept | dict.fromkeys(found, now_ms)

    async def delete(self, names: Iterable[str]) -> None:
        """Deletes the images under `names`.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        await delete_all(self._kv, [image_key(self._name, name) for name in names])

    async def delete_all(self, is_needed: Callable[[str], bool] | None = None) -> None:
        """Deletes all images, but those whose name `is_needed`.

        Raises:
            StorageUnavailable, BudgetSpent
        """
        async for keys in list_all(self._kv, images_prefix(self._name)):
            names = [key.name for key in keys]
            await delete_all(self._kv, [name for name in names if not (is_needed and is_needed(cursor_of(name)))])

    async def _read(self, names: Iterable[str]) -> dict[str, Sequence[str]]:
        keys = {image_key(self._name, name): name for name in names}
        found = await get_all(self._kv, list(keys))
        return {keys[key]: _decode_urls(text) for key, text in found.items()}


def _image_parts(content: Any) -> Iterator[dict[str, Any]]:
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "image_url" and _url_of(part):
            yield part


def _url_of(part: dict[str, Any]) -> str:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    return url if isinstance(url, str) else ""


def _urls(item: ChatMessage) -> list[str]:
    return [url for part in _image_parts(item.content) if _size(url := _url_of(part))]


def _is_apart(url: str) -> bool:
    return len(url) >= MIN_APART_BYTES and _DATA_URL.match(url) is not None


def _size(url: str) -> int:
    if (reference := reference_in(url)) is not None:
        return reference.size
    return len(url) if _is_apart(url) else 0


def _digest(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:16]


def _references(name: str, urls: Sequence[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for number, url in enumerate(urls):
        match = _DATA_URL.match(url)
        media_type = match[1].lower() if match else ""
        made[url] = f"{SCHEME}{name}/{number}/{len(url)}/{_digest(url)}/{media_type}"
    return made


def _with_images(item: ChatMessage, found: Images) -> ChatMessage:
    changed: dict[str, str] = {}
    for part in _image_parts(item.content):
        if (reference := reference_in(url := _url_of(part))) is not None:
            urls = found.get(reference.name, ())
            image = urls[reference.number] if reference.number < len(urls) else ""
            # Its length is what was counted.
            changed[url] = image if len(image) == reference.size else ""
    return _with_urls(item, changed, MISSING) if changed else item


def _with_urls(item: ChatMessage, changed: Mapping[str, str], note: str = "") -> ChatMessage:
    """`item` with other URLs of images; with `note` in place of an image whose URL becomes empty."""
    content: list[Any] = []
    for part in item.content:
        url = _url_of(part) if isinstance(part, dict) else ""
        if url not in changed:
            content.append(part)
        elif changed[url]:
            content.append({**part, "image_url": {**part["image_url"], "url": changed[url]}})
        else:
            content.append({"type": "text", "text": note})
    return msgspec.structs.replace(item, content=content)


def _identified(part: Any) -> Any:
    url = _url_of(part) if isinstance(part, dict) else ""
    reference = reference_in(url)
    if reference is None and not _is_apart(url):
        return part
    return {**part, "image_url": {**part["image_url"], "url": reference.digest if reference else _digest(url)}}
