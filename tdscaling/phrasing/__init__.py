"""Words and sample values for tools that come with a schema alone.

Enters: a `Tool`, whose name, description and schema are untrusted. Leaves: the parameters that a
person can give (`parameters`), and templates of what a user asks for and how the result is told
(`words`): plain single lines without braces other than slots, which name no tool and no identifier.
"""

from tdscaling.phrasing._parameters import UnphrasableError, parameters
from tdscaling.phrasing._words import Words, words
from tdscaling.phrasing.kinds import kind_of
from tdscaling.phrasing.samples import sample

__all__ = ["UnphrasableError", "Words", "kind_of", "parameters", "sample", "words"]
