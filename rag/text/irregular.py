"""English forms that no stemmer brings together: a question asks whether someone "struck", and the
article says that they "strike".

Left out are words that mostly are something else ("lay", "wound", "bit", "ground").
"""

from __future__ import annotations

_FORMS = """
arise arose arisen; awake awoke; become became; begin began begun; bend bent; bleed bled; blow blew
blown; break broke broken; breed bred; bring brought; build built; burn burnt; buy bought; catch
caught; choose chose chosen; cling clung; come came; creep crept; deal dealt; dig dug; draw drew
drawn; dream dreamt; drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen; feed
fed; feel felt; fight fought; find found; flee fled; fly flew flown; forbid forbade forbidden;
forecast forecasted; foresee foresaw foreseen; forget forgot forgotten; forgive forgave forgiven;
freeze froze frozen; get got gotten; give gave given; go went gone; grow grew grown; hang hung; hear
heard; hide hid hidden; hold held; keep kept; kneel knelt; know knew known; lay laid; lead led; leap
leapt; learn learnt; leave left; lend lent; light lit; lose lost; make made; mean meant; meet met;
mislead misled; mistake mistook mistaken; outgrow outgrew; overcome overcame; oversee oversaw
overseen; overtake overtook overtaken; overthrow overthrew overthrown; pay paid; prove proven;
rebuild rebuilt; ride rode ridden; ring rang rung; rise rose risen; run ran; say said; see saw seen;
seek sought; sell sold; send sent; shake shook shaken; shine shone; shoot shot; show shown; shrink
shrank shrunk; sing sang sung; sink sank sunk; sit sat; slay slew slain; sleep slept; slide slid;
speak spoke spoken; speed sped; spend spent; spin spun; spring sprang sprung; stand stood; steal
stole stolen; stick stuck; sting stung; strike struck stricken; strive strove; swear swore sworn;
sweep swept; swell swollen; swim swam swum; swing swung; take took taken; teach taught; tear tore
torn; tell told; think thought; throw threw thrown; tread trod trodden; undergo underwent undergone;
understand understood; undertake undertook undertaken; uphold upheld; wake woke woken; wear wore
worn; weave wove woven; weep wept; win won; withdraw withdrew withdrawn; withhold withheld;
withstand withstood; write wrote written;
child children; foot feet; goose geese; half halves; knife knives; man men; mouse mice; shelf
shelves; thief thieves; tooth teeth; wife wives; wolf wolves; woman women
"""

# Form → what it is a form of; both folded, as in rag/text/terms.py.
BASE_FORM = {
    form: base
    for base, *forms in (listed.split() for listed in _FORMS.split(";"))
    for form in forms
}
