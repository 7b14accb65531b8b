"""What each function may do, in one word for each thing: read from the roles in the templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from infra.templates import Resource, ResourcePart, TemplateError, Templates, get

_READ: Final = frozenset({"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"})
_APPEND: Final = _READ | {"dynamodb:PutItem"}
_DECRYPT: Final = frozenset({"kms:Decrypt", "kms:DescribeKey"})
WORDS: Final[Sequence[tuple[str, frozenset[str]]]] = (
    ("log", frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})),
    ("decrypt", _DECRYPT),
    (
        "encrypt",
        _DECRYPT
        | {
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        },
    ),
    (
        "follow",
        frozenset(
            {
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            }
        ),
    ),
    ("read", _READ),
    ("scan", _READ | {"dynamodb:Scan"}),
    ("read", frozenset({"secretsmanager:GetSecretValue"})),
    ("append", _APPEND),
    ("write", _APPEND | {"dynamodb:UpdateItem"}),
    ("read", frozenset({"kms:GetPublicKey"})),
    ("list", frozenset({"s3:ListBucket"})),
    ("append", frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject"})),
    ("sign", frozenset({"kms:Sign"})),
    ("replace", _APPEND | {"dynamodb:DeleteItem"}),
    ("publish", frozenset({"events:PutEvents"})),
    ("send", frozenset({"sqs:SendMessage"})),
)
"""The word for a right: the first whose actions are enough for it."""

_ORDER: Final = tuple(dict.fromkeys(word for word, _ in WORDS))
STRENGTH: Final = {word: strength for strength, word in enumerate(_ORDER, 1)}
"""How much a word stands for, among those for the same kind of thing."""


@dataclass(frozen=True, slots=True)
class Group:
    """Functions that may do the same."""

    functions: tuple[Resource, ...]
    words: Mapping[ResourcePart, str]
    calls: bool
    """Whether they call the external APIs: they know where those are, and may read the secret."""


def grouped(templates: Templates, functions: Iterable[Resource]) -> list[Group]:
    """Functions by their rights, in the order of the templates.

    Raises:
        TemplateError: there is no word for a right.
    """
    asked = set(functions)
    found: defaultdict[tuple[tuple[tuple[ResourcePart, str], ...], bool], list[Resource]]
    found = defaultdict(list)
    for function in templates.all("AWS::Lambda::Function"):
        if function in asked:
            words = tuple(
                (target, _word(function, target, actions))
                for target, actions in sorted(
                    templates.rights(function).items(), key=lambda one: one[0].sort_key
                )
                if target.resource.type != "AWS::Logs::LogGroup"
            )
            found[words, _calls(function, [target for target, _ in words])].append(function)
    return [Group(tuple(same), dict(words), calls) for (words, calls), same in found.items()]


def _calls(function: Resource, targets: Iterable[ResourcePart]) -> bool:
    told = function.get("Environment", "Variables")
    return get(told, "TILL_UPSTREAM_URL") is not None and any(
        one.resource.type == "AWS::SecretsManager::Secret"
        and one.resource.get("Name") == get(told, "TILL_UPSTREAM_SECRET")
        for one in targets
    )


def _word(function: Resource, target: ResourcePart, actions: frozenset[str]) -> str:
    for word, enough in WORDS:
        if actions <= enough:
            return word
    raise TemplateError(
        f"docs/deployed.md has no word for what {function.logical_id} may do to "
        f"{target.resource.logical_id} ({', '.join(sorted(actions))}): give it one in "
        "infra/rights.py."
    )
