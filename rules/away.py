"""Away messages, greetings and out-of-office notes, as WhatsApp Business and mail programs write them.

English, French, Spanish, Portuguese, German. What calls itself automatic is; everything else tells only in pairs
(thanks and "we are closed"), because each alone is something that people write too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_TELLING: Final = ({"thanks", "away"}, {"thanks", "later"}, {"thanks", "help"}, {"away", "later"})

_NO_QUESTION: Final = r"(?![^.!:;]{0,60}\?)"
"""Who asks "is this an automatic message?" is a person."""

_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "English": {
        "automatic": (
            r"auto(?:mat(?:ic|ed))?[ -]?(?:reply|response|message|answer)",
            r"out[ -]of[ -](?:the[ -])?office",
            r"this (?:inbox|number|account) is not monitored",
            r"i am a (?:chat ?)?bot\b",
        ),
        "thanks": (
            r"thank(?:s| you)(?: very much| so much)? for (?:contacting|messaging|writing to|reaching out"
            r"|getting in touch|your (?:message|enquiry|inquiry|interest in))",
            r"welcome to ",
        ),
        "away": (
            r"\bwe(?:'re| are) (?:currently |now )?(?:unavailable|not available|closed|away|offline)",
            r"(?:currently|presently|right now) (?:unavailable|not available|closed|away)",
            r"away from (?:my|the) phone",
            r"(?:unavailable|closed|away) (?:right now|at the moment)",
            r"(?:our )?(?:opening|business|office) hours",
            r"\bi am (?:on (?:holiday|vacation|leave)|out of office)",
            r"can(?:'t|not| not) (?:take|answer) your (?:call|message)",
        ),
        "later": (
            r"(?:we|i|someone|our team)(?:'ll| will| shall)? (?:\w+ )?(?:reply|respond|answer|get back"
            r"|be in touch|be with you)\b[^.!?]{0,40}(?:as soon as|shortly|soon|possible|asap)",
            r"will respond as soon as possible",
        ),
        "help": (r"(?:how (?:can|may) (?:we|i)|let us know how we can) (?:help|assist)",),
    },
    "French": {
        "automatic": (
            r"(?:reponse|message) automatique",
            r"absent(?:e)? du bureau",
            r"ceci est un (?:robot|message automatise)",
            r"merci de ne pas repondre a ce (?:message|numero)",
        ),
        "thanks": (
            r"merci (?:beaucoup )?(?:de (?:nous )?(?:avoir |nous avoir )?contacte|d'avoir contacte"
            r"|pour votre (?:message|demande|prise de contact)|de votre message|pour ton message|de votre confiance)",
            r"nous (?:avons bien recu|accusons reception de) votre",
            r"bienvenue (?:chez|sur|a) ",
        ),
        "away": (
            r"(?:nous (?:ne )?sommes|je (?:ne )?suis) (?:actuellement |pas |momentanement )*(?:disponibles?"
            r"|indisponibles?|joignables?|absente?s?|fermes?|en conges?|en vacances)",
            r"(?:actuellement|momentanement) (?:indisponible|absent|ferme)",
            r"(?:nos )?(?:horaires|heures) d'ouverture",
            r"nos bureaux sont fermes",
        ),
        "later": (
            r"(?:vous (?:repondrons|recontacterons|repondrai|recontacterai|rappellerons)|te (?:repondrai"
            r"|recontacterai)|reviendr(?:ons|ai) vers (?:vous|toi)|(?:vous|te) repond(?:s|ons)?)\b[^.!?]{0,40}"
            r"(?:des que possible|rapidement|au plus vite|plus brefs delais|dans les meilleurs delais|sous peu"
            r"|mon retour|notre retour)",
            r"repondrons des que possible",
        ),
        "help": (
            r"(?:dites-nous )?comment (?:pouvons|pourrions|puis)-(?:nous|je) (?:vous|t') ?aider",
            r"dites-nous comment nous pouvons vous aider",
            r"en quoi (?:pouvons|puis)-(?:nous|je) vous (?:aider|etre utile)",
        ),
    },
    "Spanish": {
        "automatic": (
            r"(?:respuesta|mensaje|contestador) automatic[oa]",
            r"fuera de la oficina",
            r"no respond(?:a|as) a este mensaje",
            r"soy un (?:chat ?)?bot\b",
        ),
        "thanks": (
            r"(?:muchas )?gracias por (?:comunicar(?:te|se)|contactar(?:nos)?|ponerte en contacto"
            r"|escribir(?:nos)?|su mensaje|tu mensaje|su interes)",
            r"hemos recibido (?:su|tu) mensaje",
            r"bienvenid[oa]s? a ",
        ),
        "away": (
            r"no (?:estamos|estoy|nos encontramos) disponibles?",
            r"en este momento no (?:podemos|puedo|estamos)",
            r"fuera de (?:horario|servicio)",
            r"(?:estamos|estoy) (?:cerrados?|ausentes?|de vacaciones)",
            r"horario de (?:atencion|apertura)",
        ),
        "later": (
            r"(?:responderemos|contestaremos|respondere|atenderemos|contactaremos|lo haremos"
            r"|comunicaremos)\b[^.!?]{0,40}"
            r"(?:lo antes posible|a la brevedad|lo mas pronto posible|en breve|cuanto antes|pronto)",
        ),
        "help": (r"(?:como|en que) (?:podemos|puedo) ayudar(?:te|le|los|les)?",),
    },
    "Portuguese": {
        "automatic": (
            r"(?:resposta|mensagem) automatica",
            r"fora do escritorio",
            r"nao responda (?:a )?esta mensagem",
            r"sou um (?:chat ?)?bot\b",
        ),
        "thanks": (
            r"(?:obrigad[oa]|gratos?) (?:por|pelo|pela) (?:entrar(?:es)? em contato|entrar em contacto"
            r"|sua mensagem|tua mensagem|seu contato|contacto|mensagem|contato)",
            r"agradece(?:mos)? (?:o )?(?:seu|sua|pelo|pela|teu|tua)? ?(?:contato|contacto|mensagem)",
            r"recebemos (?:a )?sua mensagem",
            r"bem-?vind[oa]s? (?:a|ao) ",
        ),
        "away": (
            r"nao (?:estamos|estou) disponive(?:l|is)",
            r"no momento nao (?:podemos|posso|estamos)",
            r"fora do horario",
            r"estamos (?:fechados|ausentes|de ferias)",
            r"estou (?:ausente|de ferias)",
            r"horario de (?:atendimento|funcionamento)",
        ),
        "later": (
            r"(?:responderemos|responderei|retornaremos|retornarei|entraremos em contat?cto?"
            r"|atenderemos)\b[^.!?]{0,40}"
            r"(?:assim que (?:for )?possivel|o mais (?:rapido|breve) possivel|em breve|brevemente)",
        ),
        "help": (r"(?:como|em que) (?:podemos|posso) (?:te |lhe |o |a )?ajudar(?:-lo|-la)?",),
    },
    "German": {
        "automatic": (
            r"automatische (?:antwort|nachricht|ruckmeldung)",
            r"abwesenheits(?:notiz|nachricht|assistent)",
            r"diese nachricht wurde automatisch",
            r"ich bin ein (?:chat ?)?bot\b",
        ),
        "thanks": (
            r"(?:vielen |herzlichen )?dank(?:e)? (?:fur (?:deine|ihre|eure|die) (?:nachricht|anfrage"
            r"|kontaktaufnahme|mitteilung)|,? dass (?:du|sie) uns)",
            r"wir haben (?:deine|ihre) (?:nachricht|anfrage) erhalten",
            r"willkommen bei ",
        ),
        "away": (
            r"(?:wir sind|ich bin) (?:derzeit|zurzeit|momentan|aktuell|gerade|leider|im moment|nicht|bis"
            r"| )*(?:nicht (?:verfugbar|erreichbar|da)|im urlaub|geschlossen|abwesend|ausser haus)",
            r"unsere (?:offnungszeiten|geschaftszeiten|burozeiten)",
            r"ausserhalb unserer",
        ),
        "later": (
            r"(?:antworten|melden|melde|beantworten|kummern)\b[^.!?]{0,60}(?:so (?:bald|schnell) wie moglich"
            r"|schnellstmoglich|in kurze|baldmoglichst|umgehend|zeitnah)",
        ),
        "help": (r"wie (?:konnen wir|kann ich) (?:dir|ihnen|euch) (?:weiter)?helfen",),
    },
}
"""Patterns over folded letters (small, without accents, straight apostrophes): language -> sign -> alternatives."""


def away(folded: str) -> str | None:
    """Say by which words a text is an away message, or None if it is none. ``folded``: see ``_WORDS``.

    >>> away("thank you for contacting us! how can we help you?")
    'English: "thank you for contacting" and "how can we help"'
    >>> away("thank you for contacting me, how much is it?") is None
    True
    """
    for language, signs in _patterns().items():
        if automatic := signs["automatic"].search(folded):
            return f'{language}: "{automatic[0]}"'
        found = {sign: seen[0] for sign in ("thanks", "away", "later", "help") if (seen := signs[sign].search(folded))}
        if any(pair <= found.keys() for pair in _TELLING):
            words = " and ".join(f'"{seen}"' for seen in found.values())
            return f"{language}: {words}"
    return None


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, Mapping[str, re.Pattern[str]]]:
    return {
        language: {
            sign: re.compile(f"(?:{'|'.join(alternatives)})" + (_NO_QUESTION if sign == "automatic" else ""))
            for sign, alternatives in signs.items()
        }
        for language, signs in _WORDS.items()
    }
