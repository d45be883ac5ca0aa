"""Options for the role `user`."""
