"""People: the user, three roles, sign-in, and the first-run page."""
