"""The command line of a client that lies: one of its masked bits is 2 more than a bit may be."""

from quorate.node.cli import main
from quorate.protocol.field import BN254
from quorate.protocol.mpc import ClientInput


def forged(plain):
    def mask(self, values, shares):
        masked = plain(self, values, shares)
        first, *others = BN254.integers(BN254.from_bytes(masked, len(masked) // BN254.size_bytes))
        return BN254.to_bytes(BN254.vector([first + 2, *others]))

    return mask


if __name__ == "__main__":
    ClientInput.mask = forged(ClientInput.mask)
    main()
