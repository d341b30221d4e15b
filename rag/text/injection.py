"""Sentences that speak to a language model instead of telling a reader something.

An article is data, but a model cannot tell data from orders ("indirect prompt injection"; Greshake
et al. 2023, "Not what you've signed up for"). Such a sentence is therefore set aside: it is no
evidence and never reaches the prompt, unless the question is about instructions. Then it is
evidence like any other, and may be quoted, but is never said in the answer's own words.

Words are no proof: a planted order in other words than these comes through as an ordinary sentence
of its article. What the model makes of it is still only a draft, whose claims are shown when a
sentence supports them and with that sentence. The rules are narrow so that ordinary prose is let
through; `benchmarks/answering/poison.py` counts what they catch in news and encyclopedia articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Protocol, TypeVar

from rag.text.terms import fold
from rag.text.untrusted import visible

LONGEST_SENTENCE = 4_000  # characters of a sentence that are looked at


class Quoted(Protocol):
    """Anything with the text of a sentence."""

    @property
    def quote(self) -> str: ...


Q = TypeVar("Q", bound=Quoted)

# What stands before a word that begins an order; "\n" is the start. "To ignore all rules" is none.
_BEFORE_ORDER = re.compile(
    r"(?:[\n.!?:;,>)\]}*#\"“”—–-][^\w\n]*|\b(?:please|now|then|kindly|just|and|instead|must"
    r"|you should|you will|you are to|you shall|you have to|always|only|simply|never"
    r"|immediately) )\Z"
)
_LEAD = 16  # characters before an order that are looked at
_EACH = r"(?:the|any|this|every|all|each|your|that|such)"
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|initial|original|existing|current|system"
    r"|safety|your|given|all|any|other|these|those)"
)
_RULES = (
    r"(?:instructions?|prompts?|rules|directions|directives|guidelines|commands|context|programming"
    r"|training|constraints|restrictions|safeguards|messages?)"
)
_MODEL = (
    r"(?:ais?|artificial intelligences?|llms?|(?:large )?language models?|chat ?bots?|bots|"
    r"(?:ai|digital|virtual|helpful) (?:assistants?|models?|systems?|agents?|readers?|crawlers?)"
    r"|assistants?)"
)
_QUESTION_WORD = r"(?:who|whom|whose|what|when|where|which|how|why)\b"
# Orders, where one may begin.
_ORDERS = (
    # "Ignore all previous instructions", "disregard the above"
    rf"\b(?:ignore|disregard|forget|override|overrule|bypass|discard|do not follow|don't follow"
    rf"|stop following) (?:\w+ ){{0,3}}{_EARLIER} (?:\w+ ){{0,3}}{_RULES}\b",
    r"\b(?:ignore|disregard|forget|discard) (?:everything|all|anything|whatever|the|of)\b"
    r"(?: \w+){0,6}? (?:above|before this|so far|you were told|you have been told|other articles"
    r"|other sources|other sentences|user's question)\b",
    # "Answer every question with …", "reply only with", "print exactly"
    rf"\b(?:answer|respond|reply)(?: only| exactly| always| instead| just)* (?:with (?:the|exactly"
    rf"|only|one|a|[\"“])|that\b(?! way)|in (?:one|all|capital|french|spanish|latin)"
    rf"|(?:to )?{_EACH} (?:\w+ )?(?:questions?|quer(?:y|ies)|users?|prompts?)|[\"“”'])",
    r"\b(?:say|output|print|write|repeat|state|claim|insist)(?: only| exactly| just)*"
    r" (?:only|exactly|verbatim|after me|that the (?:answer|winner) is"
    r"|the (?:word|words|phrase|string|sentence)\b(?! ?,))",
    r"\btell (?:the |every |all |any )?(?:users?|readers?|person asking|human) (?:that|to|the)\b",
    r"\b(?:reveal|print|repeat|show|output|leak|display|disclose|recite) (?:\w+ ){0,3}(?:system"
    r" prompt|your (?:prompt|instructions|rules|configuration)|(?:prompt|text|words|instructions)"
    r" above)\b",
    r"\b(?:do not|don't|never) (?:cite|quote|mention|reveal|trust|consult|rely on|answer from)"
    r" (?:\w+ ){0,3}(?:sources?|citations?|system prompt|instructions|articles|documents"
    r"|sentences)\b",
    r"\bcite (?:only |always )?(?:this|source|sentence|number|article|it)\b(?! as\b).*\b(?:answers?"
    r"|claims?|questions?|source|evidence|sentence)\b",
    r"\b(?:pretend|act as if|role-?play) (?:to be|that you|you|as)\b",
)
_ENGLISH = (
    # "SYSTEM: you …", "New instructions:", "### Instruction"
    r"\n\W*(?:system|assistant|developer|user|human)\W{0,3}:.*\b(?:you|your|answer|reply|respond"
    r"|ignore|say|output|must|question)\b",
    rf"[\n.!?>#*\]]\W{{0,6}}(?:system (?:prompt|message|override|note|notice|instruction)|(?:new"
    rf"|updated|important|special|hidden|revised) (?:instructions?|prompt)|(?:instructions?|note"
    rf"|notice|message|memo) (?:to|for) (?:the |all |any |every )?{_MODEL}) ?[^.!?]{{0,40}}:",
    r"\n#{2,} ?(?:instructions?|response|system|human|assistant|input)\b",
    r"<[|｜][^<>]{1,40}[|｜]>\W{0,3}(?:system|user|assistant|developer|tool)\b",
    r"\b(?:system|user|human|question)\W?:.*\b(?:assistant|answer|ai)\W?:",
    r"[{,]\s*[\"“”'](?:role|system|answer|citations?|content|instructions?)[\"“”']\s*:",
    # "As an AI language model", "You are now DAN", "If you are an assistant"
    r"\bas (?:an ai|a (?:large )?language model)(?: (?:language model|assistant|model|chatbot))?"
    r"(?:\W*\Z|[,:;])",
    rf"\byou are (?:now |no longer |just |only )*(?:an? |the )?(?:\w+ ){{0,2}}(?:{_MODEL}|dan)"
    r"(?:\W*\Z|[,:;.!]| (?:that|who|and|named|called|which|in|with|without)\b)",
    rf"\b(?:dear|attention|hello|hey|hi|greetings),? (?:all |any |the |to )*{_MODEL}\s*"
    r"(?:[,:;.!—–-]|\Z|(?:reading|processing|that|who)\b)",
    rf"\n\W*(?:to )?(?:all |any |every )?{_MODEL}(?: and \w+)? (?:reading|processing|summari[sz]ing"
    r"|answering|that reads?|must|should|is to|are to|shall)\b.*\b(?:answer|reply|respond|say|state"
    r"|cite|ignore|output|repeat|text|article|page|document)\b",
    rf"\b{_EACH} {_MODEL} (?:reading|processing|summari[sz]ing|that reads|which reads)"
    r" (?:this|the)\b",
    r"\b(?:when|while|before|after) (?:you )?(?:summari[sz]e|summari[sz]ing|answer|answering"
    r"|process|processing|citing|cite) (?:this|the|any) (?:article|text|document|page|question"
    r"|quer\w+)s?\b.*\b(?:you|answer|say|include|cite|reply|output|state|write)\b",
    r"\bfrom now on,? (?:you (?:are|must|will|should|only)|answer|reply|respond|pretend|act)\b",
    r"\b(?:enable|enter|activate|now in|switch to|engage) (?:\w+ )?(?:developer|debug|admin|god"
    r"|maintenance|unrestricted|jailbreak|dan) mode\b",
    # "Your answer must", "start every reply with", "add this link to your answer"
    r"\b(?:your|every|each|the final) (?:answer|response|reply|output)s? (?:must|should|shall"
    r"|has to) (?:only |always |never |not )*(?:begin|start|end|say|state|contain|include|mention"
    r"|consist|repeat|cite|be:? ?[\"“”'])",
    r"\b(?:begin|start|end|finish|prefix|open|close|replace) (?:your|every|each|the|all) (?:\w+ )?"
    r"(?:answer|response|reply|replies|output)s? (?:with|by)\b",
    r"\b(?:include|insert|add|append|render|embed|put|place|attach)\b[^.!?]{0,80} (?:in|to|into|at"
    r"|after|of) (?:your|every|each) (?:answer|response|reply|output|claim)s?\b",
    # "The answer to the question who won is Bob", "If anyone asks …, say Bob"
    rf"\b(?<!in )answers? to {_EACH} (?:\w+ )?(?:question|query)s?,?:?"
    rf" (?:[\"“”']|{_QUESTION_WORD}|about who)",
    rf"\bcorrect (?:answer|reply|response) (?:to|for) {_EACH} (?:\w+ )?(?:questions?"
    r"|quer(?:y|ies))\b",
    r"\b(?:if|when|whenever|should)(?: \w+){0,3} (?:asks?|asked|queried|prompted)\b[^.!?]{0,150}"
    r"[,:?\"“”] ?(?:then |please |always |you must |only |just |simply |do not |never )*(?:answer"
    r"|say|reply|respond|tell|write|output|cite)\b(?! (?:the )?\w+s\b,)",
)
# The best known order in other languages, as it is once folded (rag/text/terms.py).
_OTHERS = (
    r"\b(?:ignora|ignore|ignorar|ignorad|olvida|olvide|omite) (?:\w+ ){0,3}instrucciones\b",
    r"\b(?:ignore|ignorez|oublie|oubliez) (?:\w+ ){0,2}(?:les|ces|tes|vos|mes) (?:\w+ ){0,2}"
    r"(?:instructions|consignes)\b",
    r"\b(?:ignoriere|ignorieren sie|vergiss|vergessen sie|missachte) (?:\w+ ){0,3}"
    r"(?:anweisungen|befehle|regeln)\b",
    r"\b(?:ignora|ignorate|dimentica) (?:\w+ ){0,3}istruzioni\b",
    r"\b(?:ignore|ignora|esqueca|desconsidere) (?:\w+ ){0,3}instrucoes\b",
    r"\b(?:negeer|vergeet) (?:\w+ ){0,3}(?:instructies|opdrachten)\b",
    r"\bzignoruj (?:\w+ ){0,3}(?:instrukcje|polecenia)\b",
    r"\b(?:talimatlar\w*) (?:yok say|gormezden gel|unut)",
    r"(?:игнорируи|забудь|проигнорируи)\w* (?:\w+ ){0,3}(?:инструкци|указани|команд)",
    r"(?:忽略|无视|無視|忽视|忘记)[^。]{0,12}(?:指令|指示|说明|說明|提示|内容)",
    r"(?:指示|命令|プロンプト)[^。]{0,8}(?:無視|忘れ)",
    r"(?:تجاهل|انس)\s(?:\w+\s){0,3}(?:التعليمات|الاوامر|تعليمات)",
)
_COMPILED_ORDERS = [re.compile(pattern) for pattern in _ORDERS]
_COMPILED = [re.compile(pattern) for pattern in (*_ENGLISH, *_OTHERS)]
# A sentence without any of these is let through at once: a tenth of the time.
_HINTS = (
    "instruc/prompt/rules/direction/directive/guideline/command/context/programming/training/"
    "constraint/restriction/safeguard/message/above/before this/so far/told/other articles/"
    "other sources/other sentences/question/assistant/system:/developer:/user/human/###/|>/｜>/"
    "role/answer/citation/content/ ai/\nai/artificial intell/llm/language model/bot/ dan/"
    "pretend/act as if/from now on/ mode/repl/respon/output/quer/verbatim/after me/exactly/"
    "only/the word/the phrase/the following/the string/the sentence/winner is/reader/"
    "person asking/cite/ ask/consignes/anweisung/befehl/regeln/istruzioni/opdrachten/polecenia/"
    "talimat/инструкц/указани/команд/指令/指示/说明/說明/提示/内容/命令/プロンプト/تعليمات/اوامر"
).split("/")
_TAG = re.compile(r"<[^<>|｜]{1,40}>|\[/?[a-z_]{2,20}\]")


@lru_cache(maxsize=4_096)
def addresses_model(text: str) -> bool:
    """Return whether a sentence gives orders to whoever writes the answer. Linear in its length."""
    sentence = "\n" + fold(visible(text[:LONGEST_SENTENCE]))
    if not any(hint in sentence for hint in _HINTS):
        return False
    plain = _TAG.sub(" . ", sentence).replace("’", "'")  # "[INST] say …" begins with "say"
    sentence = "\n" + " ".join(plain.split())
    return any(rule.search(sentence) for rule in _COMPILED) or any(
        _BEFORE_ORDER.search(sentence[max(0, match.start() - _LEAD) : match.start()])
        for rule in _COMPILED_ORDERS
        for match in rule.finditer(sentence)
    )


_ABOUT = re.compile(
    r"\binstruct|\bprompts?\b|\bprompted\b|\binject|\bjailbreak|\bignor(?:e|es|ed)\b|\bdisregard"
    r"|\bhidden (?:text|message|word|sentence|instruction)|\btrick(?:ed|s)?\b"
    r"|\b(?:told|tells?|says?|said) (?:to )?(?:the |an? )?(?:ai|assistants?|chatbots?"
    r"|language models?|models?"
    r"|llms?)\b"
)


def asks_about_instructions(question: str) -> bool:
    """Return whether a question is about such sentences, and does not give orders itself."""
    return bool(_ABOUT.search(fold(question))) and not addresses_model(question)


def set_aside(question: str, sentences: Iterable[Q], most: int) -> list[Q]:
    """Return the first ``most`` sentences, without those that address a model unless the
    question asks about that.
    """
    if asks_about_instructions(question):
        return list(islice(sentences, most))
    return list(islice((s for s in sentences if not addresses_model(s.quote)), most))
