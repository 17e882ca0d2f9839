"""Trades and candles. Pure: the standard library and the trade's rules, nothing else."""
