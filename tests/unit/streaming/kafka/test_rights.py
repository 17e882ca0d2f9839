import pytest

from streaming.kafka.rights import Right, allows

DESCRIBE, READ, WRITE = (1 << right for right in (Right.DESCRIBE, Right.READ, Right.WRITE))
#: What a broker answers that was not asked for operations, or knows none.
UNKNOWN = -(2**31)


@pytest.mark.parametrize(
    ("operations", "allowed"),
    [
        (0, set()),
        (DESCRIBE, set()),
        (DESCRIBE | READ, {Right.READ}),
        (DESCRIBE | READ | WRITE, {Right.READ, Right.WRITE}),
        (UNKNOWN, {Right.READ, Right.WRITE}),
    ],
)
def test_a_right_is_a_bit_and_one_that_is_not_known_is_there(
    operations: int, allowed: set[Right]
) -> None:
    assert {right for right in (Right.READ, Right.WRITE) if allows(operations, right)} == allowed
