"""Planted bugs leave nothing behind for the runs after them."""

from simulation.replaced import replaced


class Owner:
    @staticmethod
    def static(number: int) -> int:
        return number

    def method(self, number: int) -> int:
        return number


def test_what_was_replaced_is_as_it_was_afterwards() -> None:
    for name, replacement in (
        ("static", staticmethod(lambda number: -number)),
        ("method", lambda self, number: -number),
    ):
        before = vars(Owner)[name]
        with replaced(Owner, name, replacement):
            assert getattr(Owner(), name)(1) == -1
        assert vars(Owner)[name] is before
        assert getattr(Owner(), name)(1) == 1
