from chart_app.rest import udf
from chart_app.rest.openbb import widgets


def test_the_widget_is_a_chart_on_our_udf_that_begins_with_a_coin() -> None:
    ((name, widget),) = widgets("BTC").items()
    assert name.isidentifier()
    assert widget["type"] == "advanced_charting"
    assert widget["endpoint"] == udf.ROOT
    assert all(isinstance(widget[it], str) for it in ("name", "description", "category"))
    assert 0 < widget["gridData"]["w"] <= 40
    assert 0 < widget["gridData"]["h"] <= 100
    data = widget["data"]
    assert data["defaultSymbol"] == "BTC"
    assert data["updateFrequency"] >= 1000
    assert all(color.startswith("#") for color in data["chartConfig"].values())
