"""Every function that an expression may call, as people read of it: JSONata's own, and ours. Examples are run by a test.

Examples are about `SAMPLE`. JSONata's `$eval` is left out, because it is not available here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from expressions.functions import OURS

SAMPLE: Final[dict[str, Any]] = {
    "key": "HP-10482",
    "fields": {
        "name": "Fjord Oak Side Table",
        "price": 1189.5,
        "currency": "EUR",
        "materials": ["oak", "steel"],
        "description": "<p>Solid <b>oak</b>.</p><p>Oiled &amp; waxed.</p>",
        "released": "2026-11-21",
        "category": "tables/side",
        "brand": "",
    },
    "custom": {"tone": "warm"},
}


@dataclass(frozen=True)
class Function:
    """`signature` names the arguments, those with ? may be left out; `example` gives `result` on `SAMPLE`.

    A function whose result is another each time has None for it.
    """

    group: str
    name: str
    signature: str
    sentence: str
    example: str
    result: Any

    @property
    def call(self) -> str:
        return f"${self.name}{self.signature}"

    @property
    def is_ours(self) -> bool:
        return self.name in OURS


def _group(name: str, *rows: tuple[str, str, str, str, Any]) -> list[Function]:
    return [Function(name, *row) for row in rows]


TEXT = _group(
    "Text",
    ("string", "(value)", "Writes a value as text.", "$string(fields.price)", "1189.5"),
    ("length", "(text)", "Counts the characters.", "$length(key)", 8),
    ("substring", "(text, start, length?)", "Takes a part; counting begins at 0.", "$substring(key, 0, 2)", "HP"),
    ("substringBefore", "(text, sign)", "What stands before a sign.", '$substringBefore(key, "-")', "HP"),
    ("substringAfter", "(text, sign)", "What stands after a sign.", '$substringAfter(key, "-")', "10482"),
    ("uppercase", "(text)", "Writes in capitals.", "$uppercase(custom.tone)", "WARM"),
    ("lowercase", "(text)", "Writes in small letters.", "$lowercase(fields.currency)", "eur"),
    ("capitalize", "(text)", "Makes the first letter a capital.", "$capitalize(custom.tone)", "Warm"),
    ("titleCase", "(text)", "Makes the first letter of every word a capital.", '$titleCase("oak side table")',
     "Oak Side Table"),
    ("trim", "(text)", "Takes off blanks at both ends and makes several of them one.", '$trim("  solid   oak ")',
     "solid oak"),
    ("pad", "(text, width, filler?)", "Fills up to a width; a negative width fills on the left.", '$pad("7", -3, "0")',
     "007"),
    ("contains", "(text, part)", "Whether a text holds another, or fits a /pattern/.", '$contains(fields.name, "Oak")',
     True),
    ("startsWith", "(text, start)", "Whether a text begins so.", '$startsWith(key, "HP-")', True),
    ("endsWith", "(text, end)", "Whether a text ends so.", '$endsWith(key, "82")', True),
    ("split", "(text, separator, limit?)", "Cuts a text into a list.", '$split(fields.category, "/")',
     ["tables", "side"]),
    ("join", "(list, separator?)", "Makes one text of a list.", '$join(fields.materials, " and ")', "oak and steel"),
    ("match", "(text, /pattern/, limit?)", "Finds what fits a pattern.", "$match(key, /[0-9]+/).match", "10482"),
    ("replace", "(text, part, new, limit?)", "Puts one text, or what fits a /pattern/, in place of another.",
     '$replace(fields.category, "/", " > ")', "tables > side"),
    ("htmlToText", "(html)", "The text of HTML: no tags, a line for each block.", "$htmlToText(fields.description)",
     "Solid oak.\nOiled & waxed."),
    ("slug", "(text)", "A text as it may stand in an address.", "$slug(fields.name)", "fjord-oak-side-table"),
    ("truncate", "(text, characters)", "Cuts to so many characters, at a blank if one is near.",
     "$truncate(fields.name, 12)", "Fjord Oak…"),
    ("truncateTokens", "(text, tokens)", "Cuts to about so many tokens, so that a prompt stays within bounds.",
     "$truncateTokens(fields.name, 4)", "Fjord Oak…"),
    ("tokens", "(text)", "About how many tokens a text has.", "$tokens(fields.name)", 5),
    ("words", "(text, count)", "The first words.", "$words(fields.name, 2)", "Fjord Oak"),
    ("sentences", "(text, count)", "The first sentences.", '$sentences("Solid oak. Oiled. Heavy.", 2)',
     "Solid oak. Oiled."),
    ("lines", "(value)", "An object's filled fields, or a list's members, a line each.",
     '$lines($pick(fields, ["name", "materials", "brand"]))', "name: Fjord Oak Side Table\nmaterials: oak, steel"),
    ("bullets", "(list)", "A list as lines that begin with a dash.", "$bullets(fields.materials)", "- oak\n- steel"),
    ("hash", "(text)", "A fingerprint (SHA-256): the same for the same text, and not to be read back.",
     "$substring($hash(key), 0, 8)", "f09259fa"),
    ("base64encode", "(text)", "Writes as base64.", '$base64encode("oak")', "b2Fr"),
    ("base64decode", "(text)", "Reads base64.", '$base64decode("b2Fr")', "oak"),
    ("encodeUrl", "(address)", "Makes an address fit to be sent.", '$encodeUrl("https://shop.example/a b")',
     "https://shop.example/a%20b"),
    ("encodeUrlComponent", "(text)", "Makes a text fit to stand in an address.", '$encodeUrlComponent("a/b c")',
     "a%2Fb%20c"),
    ("decodeUrl", "(address)", "Reads an address back.", '$decodeUrl("https://shop.example/a%20b")',
     "https://shop.example/a b"),
    ("decodeUrlComponent", "(text)", "Reads a part of an address back.", '$decodeUrlComponent("a%2Fb")', "a/b"),
)  # fmt: skip
NUMBERS = _group(
    "Number",
    ("number", "(value)", "Reads a text of digits as a number.", '$number("12.5")', 12.5),
    ("readNumber", "(text)", "Reads a number as people write it, with a currency or signs between thousands.",
     '$readNumber("€ 1.299,00")', 1299.0),
    ("money", "(amount, currency?, language?)", "Writes an amount with its currency.",
     '$money(fields.price, fields.currency, "de")', "1.189,50\u00a0EUR"),
    ("abs", "(number)", "The number without its sign.", "$abs(-3)", 3),
    ("floor", "(number)", "The whole number below.", "$floor(fields.price)", 1189),
    ("ceil", "(number)", "The whole number above.", "$ceil(fields.price)", 1190),
    ("round", "(number, digits?)", "Rounds; halves go to the even number.", "$round(2.345, 1)", 2.3),
    ("power", "(number, exponent)", "Raises to a power.", "$power(2, 8)", 256),
    ("sqrt", "(number)", "The square root.", "$sqrt(16)", 4),
    ("sum", "(list)", "Adds up.", "$sum([1, 2, 3])", 6),
    ("max", "(list)", "The largest.", "$max([1, 3, 2])", 3),
    ("min", "(list)", "The smallest.", "$min([2, 1, 3])", 1),
    ("average", "(list)", "The mean.", "$average([1, 2, 3])", 2),
    ("formatNumber", "(number, picture)", "Writes a number by a picture.", '$formatNumber(fields.price, "#,##0.00")',
     "1,189.50"),
    ("formatInteger", "(number, picture)", "Writes a whole number, in words or letters too.", '$formatInteger(12, "w")',
     "twelve"),
    ("formatBase", "(number, base)", "Writes a whole number to another base.", "$formatBase(255, 16)", "ff"),
    ("parseInteger", "(text, picture)", "Reads a whole number by a picture.", '$parseInteger("1,200", "#,##0")', 1200),
    ("random", "()", "A number from 0 to 1, another each time.", "$random() < 1", True),
)  # fmt: skip
DATES = _group(
    "Date",
    ("now", "()", "The present time. In a mapping, write now instead: it is the same in preview and run.",
     "$length($now()) > 10", True),
    ("millis", "()", "The present time in milliseconds since 1970.", "$millis() > 1000", True),
    ("formatDate", "(date, pattern?)", "Writes a date with YYYY, MM, DD, HH, mm and ss; D, M, MMM and MMMM as well.",
     '$formatDate(fields.released, "D MMMM YYYY")', "21 November 2026"),
    ("addDays", "(date, days)", "The day so many days later, or earlier.", "$addDays(fields.released, 14)", "2026-12-05"),
    ("daysBetween", "(from, to)", "How many days lie between.", '$daysBetween(fields.released, "2026-12-24")', 33),
    ("toMillis", "(date, picture?)", "A date in milliseconds since 1970.", '$toMillis("2026-11-21T00:00:00Z")',
     1795219200000),
    ("fromMillis", "(milliseconds, picture?)", "A date of milliseconds since 1970.",
     '$fromMillis(1795219200000, "[D1] [MNn] [Y0001]")', "21 November 2026"),
)  # fmt: skip
LISTS = _group(
    "List",
    ("count", "(list)", "Counts the members.", "$count(fields.materials)", 2),
    ("append", "(list, more)", "Puts one list after another.", '$append(fields.materials, "glass")',
     ["oak", "steel", "glass"]),
    ("take", "(list, count)", "The first members.", "$take(fields.materials, 1)", ["oak"]),
    ("distinct", "(list)", "Each member once.", "$distinct([1, 2, 1])", [1, 2]),
    ("reverse", "(list)", "The other way round.", "$reverse(fields.materials)", ["steel", "oak"]),
    ("sort", "(list, function?)", "In order, or in that of a function of two.", "$sort([3, 1, 2])", [1, 2, 3]),
    ("shuffle", "(list)", "In an order of chance.", "$count($shuffle([1, 2, 3]))", 3),
    ("zip", "(list, list)", "Members of the same place together.", "$zip([1, 2], [3, 4])", [[1, 3], [2, 4]]),
    ("map", "(list, function)", "Each member through a function.", "$map(fields.materials, $uppercase)",
     ["OAK", "STEEL"]),
    ("filter", "(list, function)", "The members for which a function is true.",
     '$filter(fields.materials, function($m) { $m != "oak" })', "steel"),
    ("single", "(list, function?)", "The only member that fits; none or several are an error.",
     '$single(fields.materials, function($m) { $m = "oak" })', "oak"),
    ("reduce", "(list, function, start?)", "Works a list down to one value.",
     "$reduce([1, 2, 3], function($a, $b) { $a * $b })", 6),
)  # fmt: skip
OBJECTS = _group(
    "Object",
    ("keys", "(object)", "The names of its fields.", "$keys(custom)", "tone"),
    ("lookup", "(object, name)", "The field of a name.", '$lookup(fields, "currency")', "EUR"),
    ("lookupOr", "(table, key, other?)", "What a table says of a key, else something other.",
     '$lookupOr({"tables/side": "Side tables"}, fields.category, "Furniture")', "Side tables"),
    ("pick", "(object, names)", "Only these fields.", '$pick(fields, ["currency"])', {"currency": "EUR"}),
    ("omit", "(object, names)", "All but these fields.", '$keys($omit(custom, ["tone"]))', None),
    ("merge", "(list of objects)", "One object of several; the later field counts.", '$merge([custom, {"a": 1}])',
     {"tone": "warm", "a": 1}),
    ("spread", "(object)", "An object for each field.", '$spread({"a": 1, "b": 2})', [{"a": 1}, {"b": 2}]),
    ("each", "(object, function)", "Each field through a function of value and name.",
     '$each(custom, function($v, $n) { $n & "=" & $v })', "tone=warm"),
    ("sift", "(object, function)", "The fields for which a function is true.",
     '$sift(custom, function($v) { $v = "warm" })', {"tone": "warm"}),
    ("parseJson", "(text)", "Reads JSON out of a text.", "$parseJson('{\"a\": [1, 2]}').a", [1, 2]),
    ("clone", "(value)", "A copy.", "$clone(custom)", {"tone": "warm"}),
)  # fmt: skip
LOGIC = _group(
    "Logic",
    ("firstFilled", "(value, value, …)", "The first that is not empty.",
     '$firstFilled(fields.brand, custom.brand, "no brand")', "no brand"),
    ("isEmpty", "(value)", "Whether it is nothing, a blank text, an empty list or object.", "$isEmpty(fields.brand)",
     True),
    ("exists", "(value)", "Whether there is something.", "$exists(fields.colour)", False),
    ("boolean", "(value)", "Whether it counts as true.", "$boolean(fields.materials)", True),
    ("not", "(value)", "The contrary.", "$not(true)", False),
    ("type", "(value)", "What kind of value it is.", "$type(fields.price)", "number"),
    ("assert", "(condition, message)", "Refuses the record with a message unless it holds.",
     '$assert(fields.price > 0, "The price is missing.")', None),
    ("error", "(message)", "Refuses the record with a message.",
     'fields.price > 0 ? "fine" : $error("The price is missing.")', "fine"),
)  # fmt: skip
LIBRARY: Final[tuple[Function, ...]] = (*TEXT, *NUMBERS, *DATES, *LISTS, *OBJECTS, *LOGIC)


def groups() -> dict[str, list[Function]]:
    """The functions by group, in the order of the library."""
    found: dict[str, list[Function]] = {}
    for function in LIBRARY:
        found.setdefault(function.group, []).append(function)
    return found
