"""docs/architecture.md: its drawing is that of the imports."""

from tests import rooms


def test_the_drawing_is_that_of_the_imports() -> None:
    drawn = rooms.PAGE.read_text()
    assert drawn == rooms.page(), "python -m tests.rooms draws it anew"


def test_no_room_imports_one_that_imports_it() -> None:
    arrows = rooms.arrows()
    assert arrows
    assert not {(other, one) for one, other in arrows} & arrows
