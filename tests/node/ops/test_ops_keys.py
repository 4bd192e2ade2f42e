"""Keys: at rest, hidden, bound to one another."""

import copy
import json
import os
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate.contracts import recover
from quorate.node.errors import (
    InsecurePermissions,
    KeyFileError,
    KeyFileMalformed,
    PassphraseMissing,
    WrongPassphrase,
)
from quorate.node.keys import (
    TEST_COST,
    ChainKey,
    Cost,
    EncryptionKey,
    KeyFiles,
    MeshKey,
    Secret,
    create_keys,
    find_passphrase,
    load_keys,
    load_public_keys,
    peer_id_of,
    public_key_of,
    write_random_passphrase,
)

PASSPHRASE = Secret(b"correct horse")


@pytest.fixture
def files(tmp_path):
    return KeyFiles(identity=tmp_path / "keys" / "identity.json", chain=tmp_path / "keys" / "chain.json")


@pytest.fixture
def keys(files):
    return create_keys(files, PASSPHRASE, cost=TEST_COST)


def test_keys_come_back_from_disk(files, keys):
    loaded = load_keys(files, PASSPHRASE)
    for name in ("mesh", "chain", "encryption"):
        assert getattr(loaded, name).secret == getattr(keys, name).secret
    public = load_public_keys(files)
    assert public.peer_id == keys.mesh.peer_id
    assert public.address == keys.chain.address == keys.chain.local_account().address
    assert public.encryption_key == keys.encryption.public_key
    assert public.test_only


def test_both_files_refuse_another_passphrase(files, keys):
    with pytest.raises(WrongPassphrase) as caught:
        load_keys(files, Secret(b"wrong"))
    assert caught.value.path == files.identity
    other = KeyFiles(identity=files.identity, chain=files.chain.with_name("other.json"))
    second = KeyFiles(identity=files.identity.with_name("second.json"), chain=other.chain)
    create_keys(second, Secret(b"another one"), cost=TEST_COST)
    with pytest.raises(WrongPassphrase) as caught:
        load_keys(other, PASSPHRASE)
    assert caught.value.path == other.chain


def test_the_chain_key_is_a_keystore_that_wallets_read(files, keys):
    from eth_account import Account

    assert bytes(Account.decrypt(files.chain.read_text(), "correct horse")) == keys.chain.secret.reveal()


def test_nothing_secret_is_in_the_files_in_clear(files, keys):
    text = (files.identity.read_text() + files.chain.read_text()).lower()
    for key in (keys.mesh, keys.chain, keys.encryption):
        assert key.secret.reveal().hex() not in text


@pytest.mark.parametrize("name", ["identity", "chain"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_files_that_others_can_read_are_refused(files, keys, name, mode):
    getattr(files, name).chmod(mode)
    with pytest.raises(InsecurePermissions) as caught:
        load_keys(files, PASSPHRASE)
    assert f"{mode:03o}" in caught.value.why
    assert "chmod 600" in caught.value.todo


def test_modes_on_disk(files, keys):
    assert files.identity.stat().st_mode & 0o777 == 0o600
    assert files.chain.stat().st_mode & 0o777 == 0o600
    assert files.identity.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in files.identity.parent.iterdir()) == ["chain.json", "identity.json"]


def test_an_open_folder_is_refused(files):
    files.identity.parent.mkdir(mode=0o755)
    files.identity.parent.chmod(0o755)
    with pytest.raises(InsecurePermissions):
        create_keys(files, PASSPHRASE, cost=TEST_COST)


def test_a_fifo_in_place_of_a_key_does_not_hang(files, keys):
    files.identity.unlink()
    os.mkfifo(files.identity, 0o600)
    with pytest.raises(InsecurePermissions, match="not a regular file"):
        load_keys(files, PASSPHRASE)


def test_keys_are_never_overwritten(files, keys):
    before = files.identity.read_bytes(), files.chain.read_bytes()
    with pytest.raises(KeyFileError, match="exists already"):
        create_keys(files, PASSPHRASE, cost=TEST_COST)
    files.identity.rename(files.identity.with_name("moved"))
    with pytest.raises(KeyFileError, match="exists already"):
        create_keys(files, PASSPHRASE, cost=TEST_COST)
    assert (files.identity.with_name("moved").read_bytes(), files.chain.read_bytes()) == before


def test_a_missing_file_says_what_to_do(files):
    with pytest.raises(KeyFileError) as caught:
        load_keys(files, PASSPHRASE)
    assert "quorate node init" in caught.value.todo


def change(path, edit):
    document = json.loads(path.read_bytes())
    edit(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (lambda d: d["public"].update(ed25519="00" * 32), WrongPassphrase),
        (lambda d: d.update(ciphertext="00" + d["ciphertext"][2:]), WrongPassphrase),
        (lambda d: d["kdf"].update(salt="00" * 32), WrongPassphrase),
        (lambda d: d["kdf"].update(n=1 << 30), KeyFileMalformed),
        (lambda d: d["kdf"].update(n=2), KeyFileMalformed),
        (lambda d: d["kdf"].update(n=4097), KeyFileMalformed),
        (lambda d: d["kdf"].update(n="4096"), KeyFileMalformed),
        (lambda d: d.update(test_only=False), KeyFileMalformed),
        (lambda d: d["kdf"].update(name="none"), KeyFileMalformed),
        (lambda d: d["cipher"].update(name="none"), KeyFileMalformed),
        (lambda d: d["cipher"].pop("nonce"), KeyFileMalformed),
        (lambda d: d.update(ciphertext="zz"), KeyFileMalformed),
        (lambda d: d.update(version=2), KeyFileMalformed),
        (lambda d: d.update(kind="other"), KeyFileMalformed),
        (lambda d: d.update(format="other"), KeyFileMalformed),
        (lambda d: d.pop("public"), KeyFileMalformed),
    ],
)
def test_a_changed_identity_file_is_refused(files, keys, edit, error):
    change(files.identity, edit)
    with pytest.raises(error):
        load_keys(files, PASSPHRASE)


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (lambda d: d.update(address="00" * 20), KeyFileMalformed),
        (lambda d: d.pop("address"), KeyFileMalformed),
        (lambda d: d["crypto"].update(mac="00" * 32), WrongPassphrase),
        (lambda d: d["crypto"].pop("mac"), KeyFileMalformed),
        (lambda d: d["crypto"].update(kdf="pbkdf2"), KeyFileMalformed),
        (lambda d: d["crypto"]["kdfparams"].update(n=1 << 30), KeyFileMalformed),
        (lambda d: d["crypto"]["kdfparams"].update(r=1 << 20), KeyFileMalformed),
        (lambda d: d.pop("quorate"), KeyFileMalformed),  # a low cost without the mark
        (lambda d: d.pop("crypto"), KeyFileMalformed),
        (lambda d: d.update(version=1), KeyFileMalformed),
    ],
)
def test_a_changed_keystore_is_refused(files, keys, edit, error):
    change(files.chain, edit)
    with pytest.raises(error):
        load_keys(files, PASSPHRASE)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{" * 10_000])
def test_files_of_something_else_are_refused(files, keys, data):
    files.identity.write_bytes(data)
    with pytest.raises(KeyFileMalformed):
        load_keys(files, PASSPHRASE)
    with pytest.raises(KeyFileMalformed):
        load_public_keys(files)


def test_a_real_cost_is_not_marked_for_tests(files):
    create_keys(files, PASSPHRASE, cost=Cost(n=1 << 17, test_only=False))
    assert not load_public_keys(files).test_only
    assert load_keys(files, PASSPHRASE)


@pytest.mark.parametrize("wrap", [repr, str, "{}".format, lambda s: f"{s!r:>20}", lambda s: "%s" % s])  # noqa: UP031
def test_a_secret_does_not_show_itself(wrap):
    assert "correct" not in wrap(PASSPHRASE)


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, hash])
def test_a_secret_is_not_pickled_copied_or_hashed(leak):
    with pytest.raises(TypeError):
        leak(PASSPHRASE)


def test_no_repr_of_keys_shows_a_secret(keys):
    text = repr(keys) + str(keys) + repr(keys.mesh.secret)
    for key in (keys.mesh, keys.chain, keys.encryption):
        assert key.secret.reveal().hex() not in text
        assert repr(key.secret.reveal()) not in text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what libp2p imports, in its websocket transport
def test_peer_ids_are_those_of_libp2p():
    from libp2p.crypto.ed25519 import create_new_key_pair
    from libp2p.peer.id import ID

    for number in range(20):
        seed = bytes([number]) * 32
        pair = create_new_key_pair(seed)
        mesh = MeshKey(Secret(seed))
        assert mesh.public_key == pair.public_key.to_bytes()
        assert mesh.peer_id == str(ID.from_pubkey(pair.public_key))
        assert public_key_of(mesh.peer_id) == mesh.public_key


@pytest.mark.parametrize(
    "text", ["", "0", "Il", "1" * 65, "12D3KooW", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"]
)
def test_what_is_no_ed25519_peer_id_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        public_key_of(text)


def test_a_peer_id_of_another_size_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        peer_id_of(bytes(31))


def test_mesh_signatures_are_ed25519():
    mesh = MeshKey.generate()
    signature = mesh.sign(b"m")
    Ed25519PublicKey.from_public_bytes(mesh.public_key).verify(signature, b"m")


def test_chain_signatures_are_those_of_eth_account():
    from eth_account import Account

    key = ChainKey(Secret(b"\x07" * 32))
    digest = bytes(range(32))
    assert key.sign_digest(digest) == bytes(Account.unsafe_sign_hash(digest, key.secret.reveal()).signature)
    assert recover(digest, key.sign_digest(digest)) == key.account


@pytest.mark.parametrize("value", [bytes(32), b"\xff" * 32, bytes(31), b""])
def test_what_is_no_chain_key_is_refused(value):
    with pytest.raises(ValueError, match="secp256k1"):
        ChainKey(Secret(value))


def test_encryption_keys_open_envelopes():
    from quorate.protocol.envelope import EnvelopeContext, seal, unseal

    key = EncryptionKey.generate()
    context = EnvelopeContext(request_id=bytes(32), party=1, client=0)
    envelope = seal(b"shares", receiver=key.public_key, context=context, ephemeral=b"\x09" * 32)
    assert unseal(envelope, private_key=key.secret.reveal(), context=context) == b"shares"


def test_a_passphrase_comes_from_the_file_then_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("QUORATE_PASSPHRASE", "from the environment")
    written = write_random_passphrase(tmp_path / "passphrase")
    assert find_passphrase(tmp_path / "k", passphrase_file=tmp_path / "passphrase") == written
    assert find_passphrase(tmp_path / "k", passphrase_file=None) == Secret(b"from the environment")
    assert (tmp_path / "passphrase").stat().st_mode & 0o777 == 0o600
    assert len(written) >= 32


def test_a_passphrase_comes_from_a_systemd_credential(tmp_path, monkeypatch):
    monkeypatch.delenv("QUORATE_PASSPHRASE", raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "passphrase").write_text("credential\n")
    (tmp_path / "passphrase").chmod(0o400)
    assert find_passphrase(tmp_path / "k", passphrase_file=None) == Secret(b"credential")


def test_without_a_terminal_a_missing_passphrase_is_an_error(tmp_path, monkeypatch):
    monkeypatch.delenv("QUORATE_PASSPHRASE", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(PassphraseMissing):
        find_passphrase(tmp_path / "k", passphrase_file=None)
    with pytest.raises(KeyFileError, match="does not exist"):
        find_passphrase(tmp_path / "k", passphrase_file=tmp_path / "none")
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    with pytest.raises(InsecurePermissions):
        find_passphrase(tmp_path / "k", passphrase_file=tmp_path / "open")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "empty").chmod(0o600)
    with pytest.raises(KeyFileError, match="holds no passphrase"):
        find_passphrase(tmp_path / "k", passphrase_file=tmp_path / "empty")
