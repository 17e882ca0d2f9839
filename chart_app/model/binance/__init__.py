"""The formats of Binance's spot API: one description for REST, WebSocket and OpenAPI.

https://developers.binance.com/docs/binance-spot-api-docs
"""
