"""Families of tasks: each is a function from a random stream to a `Task`.

Same stream, same task. The words and the numbers differ from seed to seed, the kind of question is
the family's.
"""
