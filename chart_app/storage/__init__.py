"""The database: trades, candles, and how far each partition is consumed."""
