"""Engine of declared domains: one YAML file with SQL becomes state, rules and tools.

Enters: the text of a domain file. Leaves: a checked `Domain`, whose `World`s hold seeded rows and
whose `Session`s execute tool calls. No Python is written per domain. Format: `docs/domains.md`.
"""
