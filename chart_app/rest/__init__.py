"""The market data over HTTP, for Binance's clients and TradingView."""
