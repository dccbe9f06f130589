"""What is wrong with a tool's definition, and where."""


class ToolFault(Exception):
    """A definition that clients refuse. `pointer`: the place inside the definition (RFC 6901); `reason`: a clause that
    says what must be there."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


def step(pointer: str, name: str | int) -> str:
    """The pointer of the member `name` below `pointer`."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
