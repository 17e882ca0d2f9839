"""What we add to Faust. Knows nothing of trades."""
