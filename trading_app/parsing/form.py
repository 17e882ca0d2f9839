"""Parses the fields of an HTML form."""

from urllib.parse import parse_qsl

MAX_FIELDS = 100


class NotAForm(ValueError):
    """The body is not ``application/x-www-form-urlencoded``."""


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form. Raises :exc:`NotAForm`, also for a repeated field."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise NotAForm(str(error)) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise NotAForm("a field is repeated")
    return fields
