"""The commands of chart_app, apart from ``worker``."""
