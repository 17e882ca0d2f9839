"""Market data as WebSocket streams, for Binance's clients."""
