"""Characters beyond U+FFFF whose JSON escape is split: each half is a surrogate, which is no character by itself."""


class SurrogateJoiner:
    """Joins texts in which a character may be split over two of them."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """`text` with the half that was held back, and without a half at its end. A half that stays alone becomes
        U+FFFD."""
        if not self._held and (text.isascii() or not _has_surrogate(text)):
            return text
        text = self._held + text
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return well_formed(text.removesuffix(self._held))

    def end(self) -> str:
        """What is left: U+FFFD for a half that was held back."""
        held, self._held = self._held, ""
        return well_formed(held)


def well_formed(text: str) -> str:
    """`text` with each surrogate pair as its character, and each surrogate without its pair as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
