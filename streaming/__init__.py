"""Our additions to Faust, independent of trades and of our settings."""
