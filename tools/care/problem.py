"""What ends a command early."""


class CareError(Exception):
    """The command can't go on; the message is one sentence about why, and what to do."""
