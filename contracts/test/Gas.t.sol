// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IQuorateMarket} from "../src/IQuorateMarket.sol";

/// @dev What each call costs as a transaction of its own, with calldata; snapshots/Market.json keeps the figures and
/// a change fails the test. To accept new figures: FORGE_SNAPSHOT_CHECK=false forge test --match-contract GasTest
/// forge-config: default.isolate = true
contract GasTest is MarketTest {
    IQuorateMarket.Request private request;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        _deposit(requestor, COIN, 1); // accounts that were here before, which is the usual case
        _deposit(requestor, address(token), 1);
        _deposit(outsider, COIN, 2);
        (request, id) = _submitted(COIN);
    }

    function test_gas_submit() public {
        request.nonce = 8;
        _submit(request);
        vm.snapshotGasLastCall("Market", "submit, coin");
        request.token = address(token);
        _submit(request);
        vm.snapshotGasLastCall("Market", "submit, token pulled");
    }

    function test_gas_cancel() public {
        vm.prank(requestor);
        market.cancel(id);
        vm.snapshotGasLastCall("Market", "cancel");
    }

    function test_gas_lock() public {
        _lock();
        vm.snapshotGasLastCall("Market", "lock, 5 members");
    }

    function test_gas_fulfil() public {
        _lock();
        bytes[] memory signatures = _attest(id, 0, 3);
        market.fulfil(id, RESULT, signatures);
        vm.snapshotGasLastCall("Market", "fulfil, 5 members, 3 signatures");
    }

    function test_gas_reportFault() public {
        _lock();
        bytes[] memory signatures = _accuse(id, _member(4), 0, 3);
        market.reportFault(id, _member(4), signatures);
        vm.snapshotGasLastCall("Market", "reportFault, 5 members, 3 signatures");
    }

    function test_gas_expire() public {
        _lock();
        vm.warp(request.deadline + 1);
        market.expire(id);
        vm.snapshotGasLastCall("Market", "expire, locked");
    }

    function test_gas_expireUnlocked() public {
        vm.warp(request.deadline + 1);
        market.expire(id);
        vm.snapshotGasLastCall("Market", "expire, submitted");
    }

    function test_gas_balances() public {
        _deposit(outsider, COIN, 10);
        vm.snapshotGasLastCall("Market", "deposit, coin");
        vm.prank(outsider);
        market.withdraw(COIN, 10);
        vm.snapshotGasLastCall("Market", "withdraw, coin");
        _deposit(_member(0), address(token), 10);
        vm.snapshotGasLastCall("Market", "deposit, token");
        vm.prank(_member(0));
        market.withdraw(address(token), 10);
        vm.snapshotGasLastCall("Market", "withdraw, token");
    }

    function test_gas_largestCommittee() public {
        uint256 count = market.MAX_PARTIES();
        for (uint256 i = PARTIES; i < count; ++i) {
            _fund(_member(i));
            _deposit(_member(i), COIN, FUNDS / 2);
        }
        (request.parties, request.threshold, request.maxPrice) = (uint16(count), 31, 70 ether);
        id = _submit(request);
        _lock();
        vm.snapshotGasLastCall("Market", "lock, 64 members");
        bytes[] memory signatures = _attest(id, 32, 32);
        market.fulfil(id, RESULT, signatures);
        vm.snapshotGasLastCall("Market", "fulfil, 64 members, 32 signatures");
    }

    function _lock() private {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bytes[] memory signatures = _signBids(bids);
        vm.prank(requestor);
        market.lock(request, bids, signatures);
    }
}
