"""Commonest words of languages.

Enters: a text's words, and the name of a language. Leaves: whether they can be of it. A model that
is asked for German may answer in English, in another language, or with nothing but the values.
"""

from __future__ import annotations

from collections.abc import Iterable

from tdscaling.phrasing.verbs import listed

_COMMON = {
    "german": "ich mir mich mein meine meinen meiner sie ihnen ihr bitte danke und der die das den "
    "dem des ein eine einen einer ist sind war nicht mit für von zu zum zur im am auf an aus bei "
    "nach dass ob wie was wer wo können könnten könnte möchte hätte würde gern gerne "
    "es dann auch hallo guten haben brauche sich für über lautet ja sagen",
    "french": "je me moi mon ma mes vous votre vos nous et le la les un une des du de au aux est "
    "sont pas pour avec dans sur par que qui quel quelle ce cette il elle bonjour merci plait "
    "plaît voudrais pouvez pourriez puis aussi ensuite si s'il c'est oui veuillez suis besoin "
    "j'ai j'aimerais voici",
    "spanish": "yo me mi mis usted ustedes el la los las un una unos de del al y es son está no "
    "por para con en que qué cuál se su sus hola gracias favor quiero quisiera necesito puede "
    "podría luego también después si sí buenos buenas días gustaría",
    "italian": "io mi mio mia miei lei il lo la i gli le un una uno di del della dei delle al alla "
    "e è sono non per con in che chi quale si suo sua ciao salve grazie favore vorrei puoi "
    "può potrebbe poi anche dopo buongiorno sì ho bisogno questo questa",
    "portuguese": "eu me meu minha meus minhas você o a os as um uma de do da dos das ao à e é "
    "são não por para com em no na que qual se seu sua olá obrigado obrigada favor quero "
    "gostaria preciso pode poderia depois também sim bom dia este esta",
    "dutch": "ik mij me mijn u uw je jij jullie de het een en is zijn niet met voor van naar te op "
    "aan in uit bij dat of wat wie waar kunt kunnen kan zou wil graag alstublieft dank bedankt "
    "hallo goedendag dan ook heb nodig deze die ja daarna",
}
_OWN = {
    "german": "deutsch", "french": "français", "spanish": "español",
    "italian": "italiano",
    "portuguese": "português", "dutch": "nederlands",
}  # fmt: skip
_WORDS = {language: listed(words) for language, words in _COMMON.items()}
SHARE = 0.2
"""Of the words beside the values: at least so many are among the commonest."""


def spoken_in(words: Iterable[str], language: str) -> bool:
    """Whether words can be of a language; of one that is not known here any can."""
    told = [word.lower() for word in words]
    if not told:
        return False
    name = next(
        (one for one in _WORDS if one in language.lower() or _OWN[one] in language.lower()), ""
    )
    if not name:
        return True
    counts = {one: sum(word in common for word in told) for one, common in _WORDS.items()}
    return counts[name] >= max(1, SHARE * len(told)) and counts[name] == max(counts.values())
