"""The commands of chart_app beside its worker."""
