// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../../src/IQuorateMarket.sol";
import {QuorateMarket} from "../../src/QuorateMarket.sol";
import {TestToken} from "../mocks/TestToken.sol";
import {Vm} from "./Vm.sol";

/// @dev A market, a token, a requestor and five members who have collateral; builds and signs what they say.
abstract contract MarketTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant PARTIES = 5;
    uint256 internal constant THRESHOLD = 2;
    uint256 internal constant MAX_PRICE = 10 ether;
    uint256 internal constant COLLATERAL = 3 ether + 1; // odd, so that halves differ
    uint256 internal constant FUNDS = 100 ether;
    uint256 internal constant OUTSIDER_KEY = 0xBAD;
    bytes32 internal constant RESULT = keccak256("result");
    address internal constant COIN = address(0);

    QuorateMarket internal market;
    TestToken internal token;
    address internal treasury = address(0x7EA5);
    address internal requestor = address(0xC11E);
    address internal outsider = vm.addr(OUTSIDER_KEY);

    function setUp() public virtual {
        vm.warp(START);
        market = new QuorateMarket(treasury);
        token = new TestToken();
        _fund(requestor);
        _fund(outsider);
        for (uint256 i = 0; i < PARTIES; ++i) {
            _fund(_member(i));
            _deposit(_member(i), COIN, FUNDS / 2);
            _deposit(_member(i), address(token), FUNDS / 2);
        }
    }

    function _fund(address account) internal {
        vm.deal(account, FUNDS);
        token.mint(account, FUNDS);
        vm.prank(account);
        token.approve(address(market), type(uint256).max);
    }

    function _deposit(address account, address currency, uint256 amount) internal {
        vm.prank(account);
        market.deposit{value: currency == COIN ? amount : 0}(currency, amount);
    }

    function _key(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("member", index)));
    }

    function _member(uint256 index) internal pure returns (address) {
        return vm.addr(_key(index));
    }

    function _price(uint256 index) internal pure returns (uint256) {
        return 1 ether + index;
    }

    function _request(address currency) internal view returns (IQuorateMarket.Request memory) {
        return IQuorateMarket.Request({
            requestor: requestor,
            nonce: 7,
            token: currency,
            maxPrice: MAX_PRICE,
            collateral: COLLATERAL,
            parties: uint16(PARTIES),
            threshold: uint16(THRESHOLD),
            bidDeadline: uint64(START + 100),
            deadline: uint64(START + 1000),
            program: keccak256("program"),
            details: keccak256("details")
        });
    }

    function _bids(IQuorateMarket.Request memory request) internal view returns (IQuorateMarket.Bid[] memory bids) {
        bids = new IQuorateMarket.Bid[](request.parties);
        bytes32 id = market.requestIdOf(request);
        for (uint256 i = 0; i < bids.length; ++i) {
            bytes32 peerKey = keccak256(abi.encode("peer", i));
            bids[i] = IQuorateMarket.Bid(id, _member(i), _price(i), peerKey, request.bidDeadline);
        }
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signBids(IQuorateMarket.Bid[] memory bids) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](bids.length);
        for (uint256 i = 0; i < bids.length; ++i) {
            signatures[i] = _sign(_key(i), market.bidDigest(bids[i]));
        }
    }

    /// @dev Signatures of `digest` by members `first`, `first + 1`, ... `first + count - 1`.
    function _signAll(bytes32 digest, uint256 first, uint256 count)
        internal
        pure
        returns (bytes[] memory signatures)
    {
        signatures = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            signatures[i] = _sign(_key(first + i), digest);
        }
    }

    function _attest(bytes32 id, uint256 first, uint256 count) internal view returns (bytes[] memory) {
        return _signAll(market.attestationDigest(id, RESULT), first, count);
    }

    function _accuse(bytes32 id, address accused, uint256 first, uint256 count)
        internal
        view
        returns (bytes[] memory)
    {
        return _signAll(market.faultDigest(id, accused), first, count);
    }

    function _submit(IQuorateMarket.Request memory request) internal returns (bytes32) {
        vm.prank(requestor);
        return market.submit{value: request.token == COIN ? request.maxPrice : 0}(request);
    }

    function _submitted(address currency) internal returns (IQuorateMarket.Request memory request, bytes32 id) {
        request = _request(currency);
        id = _submit(request);
    }

    function _lockCall(IQuorateMarket.Request memory request, IQuorateMarket.Bid[] memory bids)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(market.lock, (request, bids, _signBids(bids)));
    }

    function _locked(address currency) internal returns (bytes32 id) {
        IQuorateMarket.Request memory request;
        (request, id) = _submitted(currency);
        _accepted(requestor, _lockCall(request, _bids(request)));
    }

    function _accepted(address caller, bytes memory data) internal {
        vm.prank(caller);
        (bool succeeded, bytes memory returned) = address(market).call(data);
        if (succeeded) return;
        assembly ("memory-safe") {
            revert(add(returned, 32), mload(returned))
        }
    }

    /// @dev The market refuses the call with exactly this error and its arguments.
    function _refused(address caller, bytes memory data, bytes memory reason) internal {
        _refusedWith(caller, 0, data, reason);
    }

    function _refusedWith(address caller, uint256 value, bytes memory data, bytes memory reason) internal {
        vm.prank(caller);
        (bool succeeded, bytes memory returned) = address(market).call{value: value}(data);
        vm.assertTrue(!succeeded, "the market took a call that it should refuse");
        vm.assertEq(returned, reason, "the market refused for another reason");
    }

    function _wrongState(bytes32 id, IQuorateMarket.State actual, IQuorateMarket.State needed)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IQuorateMarket.WrongState.selector, id, actual, needed);
    }

    function _assertState(bytes32 id, IQuorateMarket.State expected) internal view {
        vm.assertEq(uint256(market.requestState(id)), uint256(expected), "state");
    }

    function _assertBalance(address currency, address account, uint256 expected, string memory what) internal view {
        vm.assertEq(market.balanceOf(currency, account), expected, what);
    }

    function _holdings(address currency) internal view returns (uint256) {
        return currency == COIN ? address(market).balance : token.balanceOf(address(market));
    }

    /// @dev Every unit that the market holds belongs to somebody here: nothing is in escrow or locked.
    function _assertAllFree(address currency) internal view {
        uint256 total = market.balanceOf(currency, treasury) + market.balanceOf(currency, requestor)
            + market.balanceOf(currency, outsider);
        for (uint256 i = 0; i < PARTIES; ++i) {
            total += market.balanceOf(currency, _member(i));
        }
        vm.assertEq(total, _holdings(currency), "balances sum to holdings");
    }
}
