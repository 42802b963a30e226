"""The dashboards' source. `python -m source` in the folder above writes dashboards/*.json."""
