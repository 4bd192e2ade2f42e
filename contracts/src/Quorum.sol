// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IQuorateMarket} from "./IQuorateMarket.sol";
import {Seat, Seats} from "./Seats.sol";

/// @title The word of t+1 members
library Quorum {
    /// @notice Checks that `signatures` of `digest` are by `needed` or more distinct members, and by nobody else.
    /// @return signers bit i is set when the member in seat i signed
    function check(Seat[] memory seats, bytes32 digest, bytes[] calldata signatures, uint256 needed)
        internal
        pure
        returns (uint256 signers)
    {
        if (signatures.length < needed) revert IQuorateMarket.TooFewSignatures(signatures.length, needed);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            uint256 index = Seats.find(seats, signer, seats.length);
            if (index == seats.length) revert IQuorateMarket.NotMember(signer);
            uint256 bit = 1 << index;
            if (signers & bit != 0) revert IQuorateMarket.DuplicateSigner(signer);
            signers |= bit;
        }
    }
}
