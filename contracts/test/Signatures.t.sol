// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {QuorateMarket} from "../src/QuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";

contract SignaturesTest is MarketTest {
    uint256 private constant HOME = 31337; // block.chainid is no constant here, and the compiler takes it for one
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_theDomainIsWhatArchitectureSays() public view {
        (, string memory name, string memory version, uint256 chainId, address verifier,,) = market.eip712Domain();
        vm.assertEq(bytes(name), "Quorate Market", "name");
        vm.assertEq(bytes(version), "1", "version");
        vm.assertEq(chainId, HOME, "chain");
        vm.assertEq(verifier, address(market), "market");
    }

    function test_theOtherFormOfASignatureIsRefused() public {
        bytes32 id = _locked(COIN);
        bytes[] memory signatures = _attest(id, 0, 3);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key(1), market.attestationDigest(id, RESULT));
        bytes32 high = bytes32(ORDER - uint256(s));
        signatures[1] = abi.encodePacked(r, high, v == 27 ? uint8(28) : uint8(27));
        bytes memory reason = abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
    }

    function test_aSignatureInBothFormsCountsForOneMember() public {
        bytes32 id = _locked(COIN);
        bytes[] memory signatures = _attest(id, 0, 3);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key(0), market.attestationDigest(id, RESULT));
        bytes32 high = bytes32(ORDER - uint256(s));
        signatures[2] = abi.encodePacked(r, high, v == 27 ? uint8(28) : uint8(27));
        bytes memory reason = abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
    }

    function test_signaturesOfOtherLengthsAreRefused() public {
        bytes32 id = _locked(COIN);
        uint8[5] memory lengths = [0, 1, 64, 66, 130];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes[] memory signatures = _attest(id, 0, 3);
            signatures[0] = new bytes(lengths[i]);
            bytes memory reason =
                abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, uint256(lengths[i]));
            _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
        }
    }

    function test_signaturesThatFitNoKeyAreRefused() public {
        bytes32 id = _locked(COIN);
        uint8[4] memory recoveries = [0, 1, 26, 29];
        bytes memory reason = abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector);
        for (uint256 i = 0; i < recoveries.length; ++i) {
            bytes[] memory signatures = _attest(id, 0, 3);
            signatures[0][64] = bytes1(recoveries[i]);
            _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
        }
        bytes[] memory zero = _attest(id, 0, 3);
        zero[0] = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, zero)), reason);
    }

    function test_noBitOfASignatureCanChange(uint256 bit) public {
        bytes32 id = _locked(COIN);
        bytes[] memory signatures = _attest(id, 0, 3);
        bit = bit % 520;
        signatures[1][bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        (bool succeeded,) = address(market).call(abi.encodeCall(market.fulfil, (id, RESULT, signatures)));
        vm.assertTrue(!succeeded, "a changed signature counted");
        _assertState(id, IQuorateMarket.State.Locked);
    }

    function test_attestationsOfAnotherResultDoNotCount() public {
        bytes32 id = _locked(COIN);
        bytes[] memory signatures = _attest(id, 0, 3);
        bytes32 other = keccak256("another result");
        address stranger = ECDSA.recover(market.attestationDigest(id, other), signatures[0]);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotMember.selector, stranger);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, other, signatures)), reason);
    }

    function test_attestationsOfAnotherRequestDoNotCount() public {
        bytes32 id = _locked(COIN);
        bytes32 other = _locked(address(token));
        bytes[] memory signatures = _attest(id, 0, 3);
        address stranger = ECDSA.recover(market.attestationDigest(other, RESULT), signatures[0]);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotMember.selector, stranger);
        _refused(outsider, abi.encodeCall(market.fulfil, (other, RESULT, signatures)), reason);
    }

    function test_bidsForAnotherChainDoNotCount() public {
        (IQuorateMarket.Request memory request,) = _submitted(COIN);
        bytes[] memory foreign = _foreignBids(request);
        IQuorateMarket.Bid[] memory bids = _bids(request);
        address recovered = ECDSA.recover(market.bidDigest(bids[0]), foreign[0]);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.BidNotSigned.selector, _member(0), recovered);
        _refused(requestor, abi.encodeCall(market.lock, (request, bids, foreign)), reason);
    }

    function test_requestsOfAnotherChainAreOthers() public {
        (IQuorateMarket.Request memory request, bytes32 id) = _submitted(COIN);
        vm.chainId(999_999);
        bytes32 other = market.requestIdOf(request);
        vm.assertNotEq(other, id, "id");
        bytes memory reason = _wrongState(other, IQuorateMarket.State.None, IQuorateMarket.State.Submitted);
        _refused(requestor, _lockCall(request, _bids(request)), reason);
        vm.chainId(HOME);
        vm.assertEq(market.requestIdOf(request), id, "home again");
    }

    function test_attestationsForAnotherMarketDoNotCount() public {
        bytes32 id = _locked(COIN);
        QuorateMarket other = new QuorateMarket(treasury);
        bytes[] memory signatures = _signAll(other.attestationDigest(id, RESULT), 0, 3);
        address stranger = ECDSA.recover(market.attestationDigest(id, RESULT), signatures[0]);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotMember.selector, stranger);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
        vm.assertNotEq(other.requestIdOf(_request(COIN)), id, "the same request has another id there");
    }

    function _foreignBids(IQuorateMarket.Request memory request) private returns (bytes[] memory signatures) {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        vm.chainId(999_999);
        signatures = _signBids(bids);
        vm.chainId(HOME);
    }
}
