"""Checks of one installation from end to end, each with evidence; one file each in `checks/`."""
