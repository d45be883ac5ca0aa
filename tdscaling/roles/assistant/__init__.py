"""Options for the role `assistant`."""
