"""Market data over HTTP, for Binance's clients and TradingView."""
