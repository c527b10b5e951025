"""What shops need of a function and JSONata has not. Pure, and each takes time in proportion to what it is given.

Each gets values of any kind, and None for what is not there. Nothing in gives nothing out; what cannot be used is a
`ValueError` in words.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

CHARACTERS_PER_TOKEN: Final = 4
LONGEST_DATE: Final = 40
ELLIPSIS: Final = "…"
# Tags after which a new line begins, and those whose content is no text.
BLOCKS: Final = re.compile(r"br|p|div|li|ul|ol|h[1-6r]|tr|table|section|article|header|footer|d[dt]")
HIDDEN: Final = frozenset({"script", "style", "template", "noscript"})
TAG: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,20})")
BLANKS: Final = re.compile(r"[ \t\r\f\v\u00a0]+")
SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+")
# Letters that stay whole when accents are taken off.
WHOLE_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
)
# Digits after the point, where it is not two.
DECIMALS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "HUF": 0, "BHD": 3, "KWD": 3, "JOD": 3, "TND": 3}
# Thousands and decimal signs by language; others write as in English.
SIGNS: Final = {
    **dict.fromkeys(("de", "nl", "es", "it", "da", "pt", "tr", "id", "el"), (".", ",")),
    **dict.fromkeys(("fr", "sv", "nb", "no", "fi", "pl", "cs", "sk", "ru", "uk", "hu"), ("\u00a0", ",")),
    "ch": ("’", "."),
}
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def written(value: Any) -> str:
    """A value as a text: lists with commas, objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(written, value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def is_empty(value: Any = None) -> bool:
    return value is None or value == [] or value == {} or (isinstance(value, str) and not value.strip())


def first_filled(*values: Any) -> Any:
    return next((value for value in values if not is_empty(value)), None)


def html_to_text(source: Any = None) -> str | None:
    """Scanned by hand and forward only: parsers of the standard library go back over what is never closed."""
    if source is None:
        return None
    lines = (BLANKS.sub(" ", line).strip() for line in html.unescape("".join(_texts(written(source)))).split("\n"))
    kept = [line for line in lines if line]
    return "\n".join(kept)


def _texts(source: str) -> Iterator[str]:
    lowered = source.lower()  # of another length for a few letters, hence the next line
    lowered = lowered if len(lowered) == len(source) else source
    at = 0
    while (begin := source.find("<", at)) >= 0:
        yield source[at:begin]
        if source.startswith("<!--", begin):
            end, skipped = source.find("-->", begin), 3
        else:
            end, skipped = source.find(">", begin), 1
        tag = TAG.match(source, begin + 1)
        if end < 0:  # never closed: the sign itself, or nothing more at all
            yield "" if tag or skipped == 3 else source[begin:]
            return
        if tag is None and not source.startswith(("<!", "<?"), begin):
            yield "<"
            at = begin + 1
            continue
        name = tag[1].lower() if tag else ""
        at = end + skipped
        if name in HIDDEN and source[begin + 1] != "/":
            closing = lowered.find(f"</{name}", at)
            at = len(source) if closing < 0 else closing
        elif BLOCKS.fullmatch(name):
            yield "\n"
    yield source[at:]


def tokens(text: Any = None) -> int | None:
    return None if text is None else -(-len(written(text).encode("utf-8", "replace")) // CHARACTERS_PER_TOKEN)


def truncate_tokens(text: Any = None, most: Any = None) -> str | None:
    """Cut at a blank, if there is one near."""
    if text is None:
        return None
    room = int(_number(most, "the number of tokens")) * CHARACTERS_PER_TOKEN
    whole = written(text)
    if len(whole.encode("utf-8", "replace")) <= room:
        return whole
    cut = whole.encode("utf-8", "replace")[: max(room - 3, 0)].decode("utf-8", "ignore")
    blank = cut.rfind(" ")
    return (cut[:blank] if blank > len(cut) // 2 else cut).rstrip(" ,;:-") + ELLIPSIS


def truncate(text: Any = None, most: Any = None) -> str | None:
    if text is None:
        return None
    whole, room = written(text), max(int(_number(most, "the number of characters")), 1)
    if len(whole) <= room:
        return whole
    cut = whole[: room - 1]
    blank = cut.rfind(" ")
    return (cut[:blank] if blank > len(cut) // 2 else cut).rstrip(" ,;:-") + ELLIPSIS


def slug(text: Any = None) -> str | None:
    if text is None:
        return None
    plain = unicodedata.normalize("NFKD", written(text).translate(WHOLE_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def title_case(text: Any = None) -> str | None:
    return None if text is None else re.sub(r"\S+", lambda word: word[0][:1].upper() + word[0][1:], written(text))


def capitalize(text: Any = None) -> str | None:
    return None if text is None else written(text)[:1].upper() + written(text)[1:]


def words(text: Any = None, most: Any = None) -> str | None:
    return (
        None if text is None else " ".join(written(text).split()[: max(int(_number(most, "the number of words")), 0)])
    )


def sentences(text: Any = None, most: Any = None) -> str | None:
    if text is None:
        return None
    return " ".join(SENTENCE_END.split(written(text).strip())[: max(int(_number(most, "the number of sentences")), 0)])


def starts_with(text: Any = None, start: Any = None) -> bool:
    return written(text).startswith(written(start))


def ends_with(text: Any = None, end: Any = None) -> bool:
    return written(text).endswith(written(end))


def lines(value: Any = None) -> str | None:
    """An object's filled fields, a line each; of a list, its members."""
    if value is None:
        return None
    if isinstance(value, dict):
        return "\n".join(f"{name}: {written(each)}" for name, each in value.items() if not is_empty(each))
    return "\n".join(written(each) for each in _listed(value) if not is_empty(each))


def bullets(value: Any = None) -> str | None:
    return None if value is None else "\n".join(f"- {written(each)}" for each in _listed(value) if not is_empty(each))


def money(amount: Any = None, currency: Any = None, language: Any = None) -> str | None:
    if is_empty(amount):
        return None
    code = written(currency).strip().upper()
    thousands, point = SIGNS.get(written(language)[:2].lower(), (",", "."))
    number = _number(amount, "the amount")
    if abs(number) >= 1e15:
        raise ValueError("the amount is too large for money")
    plain = f"{number:,.{DECIMALS.get(code, 2)}f}"
    return f"{plain.translate(str.maketrans(',.', thousands + point))}\u00a0{code}".rstrip()


def read_number(text: Any = None) -> float | int | None:
    """The number in a text as people write it. The last of the signs . and , is the decimal one if it stands alone."""
    if is_empty(text):
        return None
    if isinstance(text, int | float):
        return text
    found = re.search(r"-?\d[\d.,'’ \u00a0]{0,40}", written(text))
    if found is None:
        raise ValueError("there is no number in the text")
    plain = re.sub(r"['’ \u00a0]", "", found[0]).rstrip(".,")
    last = max(plain.rfind("."), plain.rfind(","))
    sign = plain[last] if last >= 0 else ""
    # One sign with three digits behind it parts thousands, and so does one that stands there several times.
    parts_thousands = bool(sign) and (
        plain.count(sign) > 1 or (plain.count(".") + plain.count(",") == 1 and len(plain) - last == 4)
    )
    if not sign or parts_thousands:
        return int(re.sub(r"[.,]", "", plain))
    return float(re.sub(r"[.,]", "", plain[:last]) + "." + plain[last + 1 :])


def lookup_or(table: Any = None, key: Any = None, other: Any = None) -> Any:
    if not isinstance(table, dict):
        raise ValueError("the first argument of $lookupOr is no table; write {“from”: “to”}")
    return table.get(written(key), other)


def moment(when: Any) -> datetime:
    """A date or time as JSON has them: ISO 8601, or seconds or milliseconds since 1970."""
    if isinstance(when, int | float) and not isinstance(when, bool):
        return datetime.fromtimestamp(when / 1000 if abs(when) > 1e11 else when, UTC)
    text = written(when).strip()
    if len(text) > LONGEST_DATE:
        raise ValueError("the date is too long to be one")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write it as 2026-11-21 or 2026-11-21T09:30:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def format_date(when: Any = None, pattern: Any = None) -> str | None:
    """`YYYY-MM-DD`, `D MMMM YYYY`, `DD.MM.YY HH:mm`: letters as many programs write them."""
    if is_empty(when):
        return None
    at, form = moment(when), "YYYY-MM-DD" if pattern is None else written(pattern)
    month = MONTHS[at.month - 1]
    parts = {
        "YYYY": f"{at.year:04}", "YY": f"{at.year % 100:02}", "MMMM": month, "MMM": month[:3], "MM": f"{at.month:02}",
        "M": str(at.month), "DD": f"{at.day:02}", "D": str(at.day), "HH": f"{at.hour:02}", "mm": f"{at.minute:02}",
        "ss": f"{at.second:02}",
    }  # fmt: skip
    return re.sub("YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|mm|ss", lambda found: parts[found[0]], form)


def add_days(when: Any = None, days: Any = None) -> str | None:
    if is_empty(when):
        return None
    try:
        return (moment(when) + timedelta(days=_number(days, "the number of days"))).date().isoformat()
    except OverflowError:
        raise ValueError("that day is outside the calendar") from None


def days_between(first: Any = None, second: Any = None) -> int | None:
    if is_empty(first) or is_empty(second):
        return None
    days: Callable[[Any], date] = lambda when: moment(when).date()  # noqa: E731  # a name for a word
    return (days(second) - days(first)).days


def take(value: Any = None, most: Any = None) -> list[Any] | None:
    return None if value is None else _listed(value)[: max(int(_number(most, "the number of members")), 0)]


def pick(value: Any = None, names: Any = None) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("$pick takes fields out of an object, and this is none")
    return {name: value[name] for name in map(written, _listed(names)) if name in value}


def omit(value: Any = None, names: Any = None) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("$omit leaves fields out of an object, and this is none")
    left_out = set(map(written, _listed(names)))
    return {name: each for name, each in value.items() if name not in left_out}


def distinct(value: Any = None) -> Any:
    """As JSONata has it, by a set: the library looks through all that it has, for each."""
    if not isinstance(value, list) or len(value) < 2:
        return value
    found: dict[str, Any] = {}
    for each in value:
        found.setdefault(json.dumps(each, sort_keys=True, default=str), each)
    return list(found.values())


def parse_json(text: Any = None) -> Any:
    if is_empty(text):
        return None
    try:
        return json.loads(written(text))
    except (ValueError, RecursionError):
        raise ValueError("the text is not JSON") from None


def hash_of(text: Any = None) -> str | None:
    return None if text is None else hashlib.sha256(written(text).encode("utf-8", "replace")).hexdigest()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _number(value: Any, what: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return float(written(value).strip())
    except ValueError:
        raise ValueError(f"{what} is not a number: {written(value)[:40]!r}") from None


OURS: Final[dict[str, Callable[..., Any]]] = {
    "addDays": add_days,
    "bullets": bullets,
    "capitalize": capitalize,
    "daysBetween": days_between,
    "distinct": distinct,
    "endsWith": ends_with,
    "firstFilled": first_filled,
    "formatDate": format_date,
    "hash": hash_of,
    "htmlToText": html_to_text,
    "isEmpty": is_empty,
    "lines": lines,
    "lookupOr": lookup_or,
    "money": money,
    "omit": omit,
    "parseJson": parse_json,
    "pick": pick,
    "readNumber": read_number,
    "sentences": sentences,
    "slug": slug,
    "startsWith": starts_with,
    "take": take,
    "titleCase": title_case,
    "tokens": tokens,
    "truncate": truncate,
    "truncateTokens": truncate_tokens,
    "words": words,
}
