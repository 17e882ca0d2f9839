"""The market data as streams, for Binance's clients."""
