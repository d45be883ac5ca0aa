"""Options for the role `judge`."""
