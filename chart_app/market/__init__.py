"""Market data as Binance's spot API has it, whatever way it is asked for."""
