from trading_app.parsing.trade_file import RefusedRow
from trading_app.replay import Outcome


def test_of_many_refused_lines_the_first_are_kept_and_all_counted() -> None:
    outcome = Outcome(sent=1, confirmed=1)
    for line in range(1000):
        outcome.refuse(RefusedRow(line, "is none"))
    assert len(outcome.first_refused) == 5
    assert str(outcome).splitlines() == [
        "1 trades sent, 1000 refused",
        *(f"  line {line}: is none" for line in range(5)),
        "  and 995 more",
    ]
