"""quorate.toml: what is read, and what is said when it is wrong."""

import re
import tomllib
from pathlib import Path

import pytest

from quorate.node.config import ConfigInvalid, load_config, parse_config, render_config, write_config
from quorate.node.config.model import SECTIONS, settings_of
from quorate.node.errors import ConfigError

PATH = Path("/home/of/node/quorate.toml")
PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
CHAIN = {"url": "http://127.0.0.1:8545", "chain_id": 31337, "market": "0x" + "11" * 20}
REQUIRED = "[chain]\nurl = 'http://127.0.0.1:8545'\nchain_id = 31337\nmarket = '0x" + "11" * 20 + "'\n"


def problems_of(text):
    with pytest.raises(ConfigInvalid) as caught:
        parse_config(text, path=PATH)
    return caught.value.problems


def test_defaults_and_absolute_paths():
    config = parse_config(REQUIRED, path=PATH)
    assert config.home == PATH.parent
    assert config.identity.key_file == PATH.parent / "keys/identity.json"
    assert config.identity.passphrase_file is None
    assert config.chain.market_bytes == b"\x11" * 20
    assert config.limits.sessions == 4
    assert config.registry.index is None


def test_the_template_is_read_back():
    values = {
        "chain": CHAIN,
        "mesh": {"bootstrap": [f"/ip4/127.0.0.1/tcp/4001/p2p/{PEER}"], "mdns": True},
        "pricing": {"base_price": "20 gwei"},
    }
    config = parse_config(render_config(values), path=PATH)
    assert config.mesh.bootstrap == (f"/ip4/127.0.0.1/tcp/4001/p2p/{PEER}",)
    assert config.mesh.mdns is True
    assert config.pricing.base_price == 20 * 10**9


def test_the_template_names_every_key_with_its_default():
    text = render_config({})
    plain = parse_config(REQUIRED, path=PATH)
    lines = [line[2:] if re.match(r"# (\w+ = |    |\])", line) else line for line in text.splitlines()]
    uncommented = "\n".join(lines)
    document = tomllib.loads(uncommented)
    assert {name: list(table) for name, table in document.items()} == {
        name: list(settings_of(name)) for name in SECTIONS
    }
    filled = parse_config(uncommented, path=PATH)
    for section in SECTIONS:
        for key in settings_of(section):
            default = getattr(getattr(plain, section), key)
            if default is not None and section != "chain":
                assert getattr(getattr(filled, section), key) == default, (section, key)


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("[limits]\nsessions = 0", "limits.sessions", "an integer from 1 to 256"),
        ("[limits]\nsessions = true", "limits.sessions", "an integer"),
        ("[limits]\nsessions = '4'", "limits.sessions", "an integer"),
        ("[limits]\nmemory_mb = 1", "limits.memory_mb", "from 64"),
        ("[mesh]\nmdns = 1", "mesh.mdns", "true or false"),
        ("[mesh]\nlisten = '/ip4/0.0.0.0/tcp/1'", "mesh.listen", "a list"),
        ("[mesh]\nlisten = ['0.0.0.0:4001']", "mesh.listen", "/ip4/HOST/tcp/PORT"),
        ("[mesh]\nlisten = ['/ip4/300.0.0.1/tcp/1']", "mesh.listen", "an ip4 address"),
        ("[mesh]\nlisten = ['/ip6/127.0.0.1/tcp/1']", "mesh.listen", "an ip6 address"),
        ("[mesh]\nlisten = ['/ip4/0.0.0.0/tcp/70000']", "mesh.listen", "a port up to 65535"),
        (f"[mesh]\nlisten = ['/ip4/0.0.0.0/tcp/1/p2p/{PEER}']", "mesh.listen", "without /p2p/ID"),
        ("[mesh]\nbootstrap = ['/ip4/10.0.0.1/tcp/1']", "mesh.bootstrap", "with /p2p/ID"),
        ("[mesh]\nbootstrap = ['/dns4/a.b/tcp/1/p2p/Qm0']", "mesh.bootstrap", "Ed25519 peer ids"),
        ("[pricing]\nbase_price = '1 btc'", "pricing.base_price", "the unit 'btc'"),
        ("[pricing]\nbase_price = 1.5", "pricing.base_price", "an amount such as"),
        ("[pricing]\nbase_price = -1", "pricing.base_price", "an amount such as"),
        ("[log]\nlevel = 'loud'", "log.level", '"debug", "info"'),
        ("[log]\nfile = ''", "log.file", "a path"),
        ("[identity]\nkey_file = 3", "identity.key_file", "a path"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_is_expected(line, key, words):
    (problem,) = problems_of(f"{REQUIRED}\n{line}\n")
    assert problem.key == key
    assert words in problem.expected
    assert problem.line == 7
    assert problem.value is not None
    assert problem.value in str(problem)


@pytest.mark.parametrize(
    ("text", "key", "words", "line"),
    [
        (f"{REQUIRED}confirmation = 1", "chain.confirmation", "did you mean 'confirmations'?", 5),
        (f"{REQUIRED}[limit]\n", "limit", "did you mean 'limits'?", 5),
        (f"mdns = true\n{REQUIRED}", "mdns", "it belongs under [mesh]", 1),
        (f"{REQUIRED}sessions = 3", "chain.sessions", "it belongs under [limits]", 5),
        (f"{REQUIRED}zzzz = 3", "chain.zzzz", "known are url", 5),
        (f"{REQUIRED}mesh = 3", "chain.mesh", "known are url", 5),
        (f"mesh = 3\n{REQUIRED}", "mesh", "expected a table", 1),
        ("[chain]\nurl = \nchain_id = 1", "the file", "not TOML", 2),
        (REQUIRED.replace("market", "# market"), "chain.market", "is required and absent", 1),
    ],
)
def test_what_does_not_belong_is_refused_with_a_hint(text, key, words, line):
    (problem,) = problems_of(text)
    assert problem.key == key
    assert words in str(problem)
    assert problem.line == line


@pytest.mark.parametrize("url", ["ftp://x", "http://:80", "https://h:0", "nothing", "http://h:99999"])
def test_a_chain_url_is_checked_and_never_shown(url):
    (problem,) = problems_of(REQUIRED.replace("http://127.0.0.1:8545", url))
    assert problem.key == "chain.url"
    assert problem.value == "(hidden)"
    assert url not in str(problem)


def test_a_config_does_not_show_its_url():
    config = parse_config(REQUIRED.replace("http://127.0.0.1:8545", "https://host/v2/provider-key"), path=PATH)
    assert "provider-key" not in repr(config)


def test_an_address_in_mixed_case_must_have_its_checksum():
    right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # from EIP-55
    assert parse_config(REQUIRED.replace("0x" + "11" * 20, right), path=PATH).chain.market == right
    (problem,) = problems_of(REQUIRED.replace("0x" + "11" * 20, right.replace("aA", "Aa", 1)))
    assert "checksum" in problem.expected


def test_all_problems_come_at_once():
    text = "[chian]\n[chain]\nurl = 1\n[mesh]\nmdns = 2\nlistn = 3\n"
    assert {problem.key for problem in problems_of(text)} == {
        "chian", "chain.url", "chain.chain_id", "chain.market", "mesh.mdns", "mesh.listn",
    }  # fmt: skip


def test_a_home_without_a_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="there is no") as caught:
        load_config(tmp_path)
    assert "quorate node init" in caught.value.todo


def test_a_file_is_written_once_and_loaded(tmp_path):
    write_config(tmp_path, {"chain": CHAIN})
    assert load_config(tmp_path).chain.chain_id == 31337
    with pytest.raises(ConfigError, match="exists already"):
        write_config(tmp_path, {"chain": CHAIN})
    assert (tmp_path / "quorate.toml").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["quorate.toml"]


def test_bad_values_are_not_written(tmp_path):
    with pytest.raises(ConfigInvalid):
        write_config(tmp_path, {"chain": {**CHAIN, "chain_id": 0}})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"\xff\xfe", b"#" * (1 << 21)])
def test_what_is_not_text_or_too_long_is_refused(tmp_path, data):
    (tmp_path / "quorate.toml").write_bytes(data)
    with pytest.raises(ConfigError):
        load_config(tmp_path)
