"""Planted bugs of the images of conversations; see planted.py."""

from typing import Any

from simulation.replaced import replaced
from waypost_worker.conversations import conversation
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.images import ImageStore, apart


def never_writes_images_again() -> Any:
    """Images expire though their message is kept."""

    async def renew(self: Any, items: Any, written_ms: Any, now_ms: int, *, all_of_them: bool = False) -> Any:
        return written_ms

    return replaced(ImageStore, "renew", renew)


def writes_images_last() -> Any:
    """A message is written before its images, which may be refused."""

    async def append(self: Any, items: Any, *, images: Any = None, **rest: Any) -> str:
        items, separated = apart(items, self.new_cursor)
        written: str = await original(self, items, **rest)
        await self._images.write({**(images or {}), **separated})
        return written

    original = Conversation.append
    return replaced(Conversation, "append", append)


def deletes_no_images() -> Any:
    """The deletion of a conversation leaves its images."""

    async def delete_all(self: Any, is_needed: Any = None) -> None:
        pass

    return replaced(ImageStore, "delete_all", delete_all)


def deletes_images_of_later_messages() -> Any:
    """The deletion of a conversation takes along the images of messages that come after it."""

    async def delete_all(self: Any, is_needed: Any = None) -> None:
        await original(self)

    original = ImageStore.delete_all
    return replaced(ImageStore, "delete_all", delete_all)


def names_images_by_message() -> Any:
    """The images of all messages of a conversation have one key."""

    def one_name(items: Any, new_name: Any) -> Any:
        return original(items, lambda: "00000000-0000-7000-8000-000000000000")

    original = apart
    return replaced(conversation, "apart", one_name)


IMAGE_BUGS = (
    never_writes_images_again,
    writes_images_last,
    deletes_images_of_later_messages,
    names_images_by_message,
)
