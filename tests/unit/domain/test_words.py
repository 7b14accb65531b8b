"""How names and e-mail addresses are compared with what people type."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.unit.fakes import details_of
from till.domain.words import MAX_WORDS, CustomerWords, TypedWords, words_in


def words_of(name: str, email: str = "somebody@example.com") -> CustomerWords:
    return CustomerWords.of(replace(details_of(uuid4(), name), email=email))


def finds(typed: str, name: str, email: str = "somebody@example.com") -> bool:
    words = TypedWords.in_text(typed)
    return words is not None and words.match(words_of(name, email))


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Søren Østergård", "soren ostergard"),
        ("Zoë", "zoe"),
        ("Zoe\u0308", "Zoë"),
        ("JOSÉ", "jose"),
        ("Jose", "josé"),
        ("Straße", "STRASSE"),
        ("\u0130brahim", "ibrahim"),
        ("Ibrahim", "\u0130BRAHIM"),
        ("Łukasz", "lukasz"),
        ("Nguyễn", "nguyen"),
        ("\uff21\uff4e\uff4e\uff41", "anna"),
        ("ﬁnn", "finn"),
        ("Ælfred", "aelfred"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
        ("王芳", "王"),
        ("김민수", "김민"),
        ("कविता", "कवि"),
        ("Sinéad O\u2019Brien", "obrien"),
        ("Sinéad O'Brien", "O\u2019Brien sinead"),
    ],
)
def test_case_accents_and_unicode_forms_make_no_difference(name: str, typed: str) -> None:
    assert finds(typed, name)


@pytest.mark.parametrize(
    "typed",
    ["Ada Mary Okafor", "okafor ada", "mary", "oka", "mary oka", "Okafor, Ada M", "  ada  "],
)
def test_words_in_any_order_the_last_one_incomplete(typed: str) -> None:
    assert finds(typed, "Ada Mary Okafor")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("hanna", "Anna"),
        ("oka ada", "Ada Okafor"),
        ("ada bruno", "Ada Okafor"),
        ("中國", "中文"),
        ("Ola", "Оля"),
    ],
)
def test_other_names_are_not_found(typed: str, name: str) -> None:
    assert not finds(typed, name)


@pytest.mark.parametrize(
    "typed",
    ["ADA.OKAFOR@Example.com", "ada.okafor@", "ada.oka", "okafor", "Ada ada.okafor@exam", "99"],
)
def test_an_e_mail_by_its_beginning_or_by_the_words_before_the_at(typed: str) -> None:
    assert finds(typed, "Ada Lovelace", "ada.okafor+99@example.com".replace("+99", "")) or (
        typed == "99" and finds(typed, "Ada", "ada.okafor+99@example.com")
    )


@pytest.mark.parametrize("typed", ["okafor@example.com", "@example.com", "bruno ada@example.com"])
def test_not_by_its_end_and_not_for_another_person(typed: str) -> None:
    assert not finds(typed, "Ada Okafor", "ada@example.com")


def test_a_text_without_letters_and_digits_finds_nothing() -> None:
    assert TypedWords.in_text("--- !!") is None


def test_what_is_typed_in_full_is_a_better_match() -> None:
    ann, anna = words_of("Ann"), words_of("Anna")
    typed = TypedWords.in_text("ann")
    assert typed is not None
    assert [typed.name_all_of(words) for words in (ann, anna)] == [True, False]
    whole = TypedWords.in_text("a@example.com")
    assert whole is not None
    assert whole.name_all_of(words_of("Ann", "a@example.com"))
    assert not whole.name_all_of(words_of("Ann", "a@example.com.au"))


def test_a_long_name_keeps_its_first_words_in_the_index() -> None:
    words = words_of("one two three four five six seven eight nine")
    assert words.indexed == ("one", "two", "three", "four", "five", "six")
    assert len(words.indexed) == MAX_WORDS
    assert "nine" in words.words


def test_words_and_addresses_fit_in_a_key() -> None:
    words = words_of("\U0001d7d8" * 500, "é" * 1_000 + "@example.com")
    assert max(len(word.encode()) for word in words.words) <= 160
    assert len(words.email.encode()) <= 800
    assert words_in("\ufdfa" * 100)
