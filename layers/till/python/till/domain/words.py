"""The words of names and e-mail addresses, as a search compares them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from till.domain.catalogue import CustomerDetails

MAX_WORDS: Final = 6
"""How many words of one customer the index keeps: it grows with their square."""
MAX_WORD_CHARACTERS: Final = 40
MAX_EMAIL_CHARACTERS: Final = 200
"""Longer ones are cut, so that they fit in a key."""

_APOSTROPHES: Final = frozenset("'\u2019\u02bc`")
"""Left out: "O'Brien" is the one word "obrien"."""

_STROKES: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ħ": "h",
    }
)
"""Letters that people type without their stroke, and that Unicode does not decompose."""


def folded(text: str) -> str:
    """A text as it is compared: in one Unicode form, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_STROKES)


def words_in(text: str) -> tuple[str, ...]:
    """The words of a text, folded, each once, in their order."""
    spaced = "".join(c if _is_of_a_word(c) else " " for c in folded(text) if c not in _APOSTROPHES)
    return tuple(dict.fromkeys(word[:MAX_WORD_CHARACTERS] for word in spaced.split()))


def _is_of_a_word(character: str) -> bool:
    # Vowel signs of Indic scripts are marks, and not combining ones.
    return character.isalnum() or unicodedata.category(character).startswith("M")


@dataclass(frozen=True, slots=True)
class CustomerWords:
    """What a customer is found by."""

    words: tuple[str, ...]
    """Of the name, then of the e-mail address before its @."""
    email: str

    @classmethod
    def of(cls, customer: CustomerDetails) -> CustomerWords:
        """The words of a customer, as the Customer API has them."""
        local_part, _, _ = customer.email.rpartition("@")
        words = dict.fromkeys((*words_in(customer.name), *words_in(local_part or customer.email)))
        return cls(tuple(words), folded(customer.email.strip())[:MAX_EMAIL_CHARACTERS])

    @property
    def indexed(self) -> tuple[str, ...]:
        """The words that the index keeps."""
        return self.words[:MAX_WORDS]


@dataclass(frozen=True, slots=True)
class TypedWords:
    """What a person types to find a customer: words, and the beginning of one more.

    What has an @ in it is the beginning of an e-mail address. With one, the other words are whole.
    """

    whole: tuple[str, ...]
    prefix: str
    email: str = ""

    @classmethod
    def in_text(cls, text: str) -> TypedWords | None:
        """What a text holds, or None for one without letters and digits."""
        pieces = text.split()
        email = next((folded(piece) for piece in pieces if "@" in piece), "")
        words = words_in(" ".join(piece for piece in pieces if "@" not in piece))
        if email:
            return cls(words, "", email[:MAX_EMAIL_CHARACTERS])
        return cls(words[:-1], words[-1]) if words else None

    def match(self, customer: CustomerWords) -> bool:
        """Whether this finds a customer."""
        return (
            all(word in customer.words for word in self.whole)
            and customer.email.startswith(self.email)
            and any(word.startswith(self.prefix) for word in customer.words or ("",))
        )

    def name_all_of(self, customer: CustomerWords) -> bool:
        """Whether every word is typed in full: a better match than the beginning of one."""
        return customer.email == self.email if self.email else self.prefix in customer.words
