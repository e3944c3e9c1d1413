"""The reader of Bicep: what it makes of the language, and that it refuses what it does not understand."""

from pathlib import Path

import pytest

from tests.infra.bicep_deployment import deployment
from tests.infra.bicep_expressions import BicepError
from tests.infra.bicep_files import bicep_files, read_bicep
from tests.infra.bicep_functions import choices_of, literal_of
from tests.infra.bicep_syntax import Array, Call, Constant, Expression, Member, Name, Object, OneOf, Text
from tests.infra.bicep_values import Scope


def resolved(source: str, name: str, tmp_path: Path) -> Expression:
    path = tmp_path / "one.bicep"
    path.write_text(source)
    file = read_bicep(path)
    return Scope(file, {}).resolve(next(each.value for each in file.variables if each.name == name))


def plain(value: Expression) -> object:
    """As Python has it; what is not known is `?`."""
    match value:
        case Object(properties):
            return {each.key.pattern: plain(each.value) for each in properties}
        case Array(items, _, complete):
            return [plain(each) for each in items] + ([] if complete else ["..."])
        case Text():
            return value.pattern
        case Constant(told):
            return told
        case OneOf(choices):
            return {"one of": [plain(each) for each in choices]}
    return "?"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'it\\'s ${'a'} \\${b}'", "it's a ${b}"),
        ("' '", " "),
        ("''", ""),
        ("' ${p} '", " {} "),
        ("'''\nmany ${lines}\n'''", "many ${lines}\n"),
        ("-1", -1),
        ("true ? 'a' : 'b'", "a"),
        ("p == 'x' ? 'a' : 'b'", {"one of": ["a", "b"]}),
        ("!false && 'a' != 'b'", True),
        ("empty('') || p", True),
        ("null ?? 'a'", "a"),
        ("p ?? 'a'", {"one of": ["?", "a"]}),
        ("union({ a: 1, b: { c: 2 } }, { b: { d: 3 }, a: 4 })", {"a": 4, "b": {"c": 2, "d": 3}}),
        ("union({ a: 1 }, p == 'x' ? { b: 2 } : {})", {"one of": [{"a": 1, "b": 2}, {"a": 1}]}),
        ("concat(['a'], ['b', 'c'])", ["a", "b", "c"]),
        ("flatten([['a'], [], ['b']])", ["a", "b"]),
        ("[for (x, i) in ['a', 'b']: { name: '${x}${i}' }]", [{"name": "a0"}, {"name": "b1"}]),
        ("[for x in p: { name: x.name }]", [{"name": "?"}, "..."]),
        ("map(['a', 'b'], x => toUpper(x))", ["A", "B"]),
        ("map([{ k: 'v' }], x => x.k)", ["v"]),
        ("filter(['a', 'b'], x => x == 'b')", ["b"]),
        ("filter(['a', 'b'], x => x == p)", ["a", "b", "..."]),
        ("toObject(['a'], x => 'key-${x}', x => { of: x })", {"key-a": {"of": "a"}}),
        ("[for each in items({ a: 1 }): { name: each.key, value: each.value }]", [{"name": "a", "value": 1}]),
        ("replace(toLower('A_B'), '_', '-')", "a-b"),
        ("join(split('a,b', ','), ';')", "a;b"),
        ("{ a: 1 }['a']", 1),
        ("['a', 'b'][1]", "b"),
        ("other.inner.x", "deep"),
        ("more", ["deep", "end"]),
        ("toLower(string(true))", "true"),
        ("json('{\"a\": [1]}')", {"a": [1]}),
        ("loadTextContent('one.txt')", "text"),
        ("map(loadJsonContent('one.json'), x => x.action)", ["read", "write"]),
        ("subscription().id", "?"),
    ],
)
def test_an_expression_comes_to_what_is_known_of_it(expression: str, value: object, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("text")
    (tmp_path / "one.json").write_text('[{"action": "read"}, {"action": "write"}]')
    before = "param p string\nvar other = { inner: { x: 'deep' } }\nvar more = [other.inner.x, 'end']\n"
    assert plain(resolved(f"{before}var it = {expression}\n", "it", tmp_path)) == value


def test_calls_in_lists_are_whole(tmp_path: Path) -> None:
    """The grammar takes them apart."""
    told = resolved("var it = [subscription().id, f(a)[0].b, [g()], account.listKeys().keys]\n", "it", tmp_path)
    assert isinstance(told, Array)
    first, second, third, fourth = told.items
    assert isinstance(first, Member)
    assert isinstance(first.of, Call)
    assert (first.name, first.of.function.name) == ("id", "subscription")
    assert isinstance(second, Member)
    assert isinstance(third, Array)
    assert isinstance(third.items[0], Call)
    assert isinstance(fourth, Member)
    assert isinstance(fourth.of, Call)
    assert fourth.of.function.name == "listKeys"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("var a = {", ":1: syntax error"),
        ("var a = 'x\nvar b = 1\n", ":1: syntax error, a string that is not closed"),
        ("var a = 1\nimport { f } from 'b.bicep'\n", ":2: `import_functionality` is not understood"),
        ("type t = string\n", "`type_declaration` is not understood"),
        ("func f(a string) string => a\n", "`user_defined_function` is not understood"),
        ("var a = [1 2]\n", ":1: no comma or new line at `2`"),
        ("var a = { b: 1 c: 2 }\n", ":1: no comma or new line at `c: 2`"),
        ("var a = b ==\n  c\n", ":2: a new line within an expression"),
        ("var a = '\\u{1F600}'\n", "`escape_sequence` in a string"),
    ],
)
def test_what_is_not_understood_is_refused(source: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "one.bicep").write_text(source)
    with pytest.raises(BicepError, match=f"^{tmp_path}/one.bicep:") as refused:
        read_bicep(tmp_path / "one.bicep")
    assert said in str(refused.value)


MAIN = """\
targetScope = 'subscription'
@description('Which.')
@allowed(['a', 'b'])
param mode string = 'a'
param names array
param size ('S' | 'L')?
var queues = ['in', 'in-poison']
resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = if (mode == 'a') {
  name: 'rg'
  location: deployment().location
}
module queue 'queue.bicep' = [for name in queues: {
  name: 'queue-${name}'
  scope: group
  params: { name: name, account: store.outputs.name }
}]
module store 'store.bicep' = {
  name: 'store'
  scope: group
  params: { mode: mode }
}
output endpoint string = store.outputs.endpoint
"""
QUEUE = """\
param name string
param account string
param metadata object = { made: name }
resource above 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: account
  resource service 'queueServices' existing = {
    name: 'default'
    resource queue 'queues' = {
      name: name
      properties: { metadata: metadata }
    }
  }
}
"""
STORE = """\
param mode string
resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'store${mode}'
}
output name string = account.name
output endpoint string = account.properties.primaryEndpoints.blob
"""


def test_a_deployment_is_followed_through_its_modules(tmp_path: Path) -> None:
    for name, source in {"main": MAIN, "queue": QUEUE, "store": STORE}.items():
        (tmp_path / f"{name}.bicep").write_text(source)
    files = bicep_files(tmp_path)
    main = files[tmp_path / "main.bicep"]
    assert [(each.name, each.description, each.is_required) for each in main.parameters] == [
        ("mode", "Which.", False),
        ("names", None, True),
        ("size", None, False),
    ]
    assert [literal_of(each) for each in main.parameters[2].allowed] == ["S", "L"]
    whole = deployment(main, files)
    queues = whole.of_type("Microsoft.Storage/storageAccounts/queueServices/queues")
    assert [plain(each.body) for each in queues] == [
        {"name": name, "properties": {"metadata": {"made": name}}} for name in ("in", "in-poison")
    ]
    assert [each.place for each in queues] == [f"{tmp_path}/queue.bicep:8"] * 2
    existing = [each for each in whole.resources if each.resource.symbol == "above"]
    assert {plain(name) for each in existing for name in choices_of(each.body.get("name") or Name("", 0))} == {
        "store{}"
    }
    assert whole.reached == files.keys()
    assert isinstance(whole.outputs["endpoint"], Member)


def test_names_are_free_unless_a_loop_or_a_lambda_binds_them(tmp_path: Path) -> None:
    (tmp_path / "one.bicep").write_text(
        "var a = [for (x, i) in xs: { k: x, n: i, '${z}': map(ys, y => y.b + w) }]\n"
        "resource r 'A.B/c@1' = [for n in a: if (n.k == t) {\n  name: n.k\n  resource s 'd' = { name: u }\n}]\n"
    )
    used = [each.name for each in read_bicep(tmp_path / "one.bicep").references]
    assert sorted(used) == ["a", "t", "u", "w", "xs", "ys", "z"]
