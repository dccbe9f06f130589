"""Regular expressions as JavaScript reads them with the flag `u`, which is how clients of MCP compile a `pattern`.

https://tc39.es/ecma262/#sec-patterns, without what only newer engines have (modifiers, duplicate names) and with the
properties of characters that are in use. Python's own `re` is no judge: it accepts `\\-`, `a{` and `(?P<n>…)`, which
JavaScript refuses, and it refuses `(?<n>…)`.
"""

import re

_HEX = "[0-9a-fA-F]"
_NAME = "[A-Za-z_$][A-Za-z0-9_$]*"
_CHARACTER = rf"[fnrtv]|0(?![0-9])|c[A-Za-z]|x{_HEX}{{2}}|u{_HEX}{{4}}|u\{{0*(?:10{_HEX}{{4}}|{_HEX}{{1,5}})\}}"
_SYNTAX = r"[\^$\\.*+?()\[\]{}|/]"
_SET = r"[dDwWsS]|[pP]\{[A-Za-z_=]+\}"

_TOKEN = re.compile(
    rf"""(?P<escape>\\(?:{_CHARACTER}|{_SYNTAX}|{_SET}))
    |(?P<edge>\\[bB]|[\^$])
    |\\k<(?P<refers>{_NAME})>
    |\\(?P<number>[1-9][0-9]*)
    |(?P<look>\(\?<?[=!])
    |(?P<group>\((?:\?:|\?<(?P<name>{_NAME})>|(?!\?)))
    |(?P<close>\))
    |(?P<or>\|)
    |(?P<times>(?:[*+?]|\{{(?P<low>[0-9]+)(?:,(?P<high>[0-9]*))?\}})\??)
    |(?P<set>\[\^?(?:[^\]\\]|\\.)*\])
    |(?P<plain>[^\^$\\.*+?()\[\]{{}}|]|\.)""",
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(rf"\\(?P<character>{_CHARACTER}|{_SYNTAX}|[-b])|(?P<set>\\(?:{_SET}))|(?P<plain>[^\\])", re.DOTALL)
_CONTROLS = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0", "b": "\b"}
_PROPERTY = re.compile(
    r"\\[pP]\{(?:(?:(?:General_Category|gc)=)?(?:L|Lu|Ll|Lt|LC|Lm|Lo|M|Mn|Mc|Me|N|Nd|Nl|No|P|Pc|Pd|Ps|Pe|Pi|Pf|Po|S|Sm"
    r"|Sc|Sk|So|Z|Zs|Zl|Zp|C|Cc|Cf|Co|Cs|Cn|Letter|Uppercase_Letter|Lowercase_Letter|Mark|Number|Decimal_Number"
    r"|Punctuation|punct|Symbol|Separator|Space_Separator|Other|Control|cntrl)"
    r"|Any|ASCII|Alphabetic|Alpha|Uppercase|Lowercase|White_Space|ID_Start|ID_Continue|Emoji|Emoji_Presentation"
    r"|Emoji_Modifier|Emoji_Modifier_Base|Emoji_Component|Extended_Pictographic"
    r"|(?:Script|sc|Script_Extensions|scx)=(?:Arabic|Armenian|Bengali|Common|Cyrillic|Devanagari|Ethiopic|Georgian|Greek"
    r"|Han|Hangul|Hebrew|Hiragana|Katakana|Khmer|Latin|Mongolian|Tamil|Thai|Tibetan))\}"
)


def is_pattern(text: str) -> bool:
    """Whether `text` is a regular expression for JavaScript. `False` also for a few that only some engines know."""
    at, open_groups, can_repeat = 0, [], False
    groups, names, referred, highest = 0, set(), set(), 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return False
        at = token.end()
        kind, was_atom = token.lastgroup, can_repeat
        can_repeat = True
        if token["escape"] or token["set"]:
            if not _are_known(token[0]) or (token["set"] and not _is_set(token[0])):
                return False
        elif token["group"] or token["look"]:
            open_groups.append(token["look"] is None)
            groups += token["group"] == "(" or token["name"] is not None
            if token["name"] in names:
                return False
            names |= {token["name"]} - {None}
            can_repeat = False
        elif token["close"]:
            if not open_groups:
                return False
            can_repeat = open_groups.pop()
        elif token["times"]:
            if not was_atom or (token["high"] and int(token["high"]) < int(token["low"])):
                return False
            can_repeat = False
        elif token["refers"]:
            referred.add(token["refers"])
        elif token["number"]:
            highest = max(highest, int(token["number"][:6]))
        elif kind in ("edge", "or"):
            can_repeat = False
    return not open_groups and referred <= names and highest <= groups


def _are_known(text: str) -> bool:
    return all(_PROPERTY.fullmatch(found) for found in re.findall(r"\\[pP]\{[^}]*\}", text))


def _is_set(text: str) -> bool:
    """Whether `text`, in its brackets, consists of characters, sets and ranges that do not run backwards."""
    at, end = (2 if text.startswith("[^") else 1), len(text) - 1
    members: list[int | None] = []
    dashes: list[int] = []
    while at < end:
        member = _MEMBER.match(text, at, end)
        if member is None:
            return False
        if member[0] == "-":
            dashes.append(len(members))
        members.append(None if member["set"] else _code_point(member))
        at = member.end()
    place = 0
    while place + 2 < len(members):
        if place + 1 in dashes:
            low, high = members[place], members[place + 2]
            if low is None or high is None or low > high:
                return False
            place += 3
        else:
            place += 1
    return True


def _code_point(member: re.Match[str]) -> int:
    plain, escaped = member["plain"], member["character"]
    if plain or len(escaped) == 1:
        return ord(plain or _CONTROLS.get(escaped, escaped))
    if escaped[0] == "c":
        return ord(escaped[1]) % 32
    return int(escaped[1:].strip("{}"), 16)
