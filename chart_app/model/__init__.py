"""Trades and candles. Pure: imports the standard library, msgspec and ``trade_rules`` only."""
