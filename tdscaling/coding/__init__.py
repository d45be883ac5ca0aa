"""Coding tasks: conversations in which the assistant runs code in a sandbox.

`task` says what a task is, `_families/` makes them, `domain` and `session` offer them to the stages
like any other domain: a world is a workspace, a call runs code in it, the final state is what the
hidden checks say. `areas` lists what there is.
"""
