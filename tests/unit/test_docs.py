"""The OpenAPI documents."""

import pytest
from openapi_spec_validator import validate

import chart_app.docs
import trading_app.docs
from settings import Settings

DOCUMENTS = {
    "trading_app": trading_app.docs.document(Settings()),
    "chart_app": chart_app.docs.DOCUMENT,
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_document_is_valid_openapi(document: dict[str, object]) -> None:
    validate(document)


def test_every_answer_of_the_contract_is_documented() -> None:
    paths = DOCUMENTS["trading_app"]["paths"]
    one = {"201", "400", "408", "413", "415", "422", "429", "503"}
    assert set(paths["/send-trading-data"]["post"]["responses"]) == one
    assert set(paths["/trades"]["post"]["responses"]) == {*one, "207"}
