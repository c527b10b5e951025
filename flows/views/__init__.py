"""Pages of records and of runs."""
