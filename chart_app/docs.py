"""The OpenAPI document of chart_app."""

from streaming import openapi

DOCUMENT = openapi.document("chart_app", "Follows the trades on Kafka and logs each.", {})
