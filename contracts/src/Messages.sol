// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "./IQuorateMarket.sol";

/// @title EIP-712 struct hashes of what the parties sign
/// @dev Every field is static, so that the ABI encoding of a struct is the concatenation that EIP-712 hashes.
library Messages {
    bytes32 internal constant REQUEST_TYPEHASH = keccak256(
        "Request(address requestor,uint256 nonce,address token,uint256 maxPrice,uint256 collateral,uint16 parties,"
        "uint16 threshold,uint64 bidDeadline,uint64 deadline,bytes32 program,bytes32 details)"
    );
    bytes32 internal constant BID_TYPEHASH =
        keccak256("Bid(bytes32 requestId,address member,uint256 price,bytes32 peerKey,uint64 validUntil)");
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256("Attestation(bytes32 requestId,bytes32 resultDigest)");
    bytes32 internal constant FAULT_TYPEHASH = keccak256("Fault(bytes32 requestId,address accused)");

    function hash(IQuorateMarket.Request calldata request) internal pure returns (bytes32) {
        return keccak256(abi.encode(REQUEST_TYPEHASH, request));
    }

    function hash(IQuorateMarket.Bid calldata bid) internal pure returns (bytes32) {
        return keccak256(abi.encode(BID_TYPEHASH, bid));
    }

    function attestation(bytes32 requestId, bytes32 resultDigest) internal pure returns (bytes32) {
        return keccak256(abi.encode(ATTESTATION_TYPEHASH, requestId, resultDigest));
    }

    function fault(bytes32 requestId, address accused) internal pure returns (bytes32) {
        return keccak256(abi.encode(FAULT_TYPEHASH, requestId, accused));
    }
}
