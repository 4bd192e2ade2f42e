// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {Handler} from "./base/Handler.sol";
import {Vm} from "./base/Vm.sol";

abstract contract InvariantTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Handler internal handler;

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_balancesEscrowsAndCollateralSumToHoldings() external view {
        vm.assertEq(handler.owed(address(0)), handler.held(address(0)), "coin");
        address token = handler.tokenAddress();
        vm.assertEq(handler.owed(token), handler.held(token), "token");
    }

    function invariant_noStateIsReachedTwice() external view {
        vm.assertTrue(!handler.resurrected(), "a request came back to a state it had left");
    }
}

/// @dev Anything goes: wrong deadlines, too few signers, outsiders, amounts out of range. Refusals are expected.
contract WildInvariantTest is InvariantTest {
    function setUp() public {
        handler = new Handler(false);
    }
}

/// @dev Only what must be accepted is played, and a refusal fails the test: a market that refuses everything would
/// keep every sum right.
contract CarefulInvariantTest is InvariantTest {
    function setUp() public {
        handler = new Handler(true);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_whatMustBeAcceptedIs() external view {
        vm.assertEq(handler.owed(address(0)), handler.held(address(0)), "coin");
    }

    /// @dev The play above is not empty: the same handler reaches every state.
    function test_carefulPlayReachesEveryState() public {
        for (uint256 i = 0; i < 7; ++i) {
            handler.submit(2 ether + i, 1 ether, 500, i, i % 2 == 0);
        }
        handler.lock(0, 1);
        handler.fulfil(0, 1, 3);
        handler.lock(0, 2);
        handler.reportFault(0, 1, 0, 3);
        handler.lock(0, 3);
        handler.reportFault(0, 2, 0, 3); // accuses nobody
        handler.cancel(0);
        handler.lock(0, 4);
        for (uint256 i = 0; i < 4; ++i) {
            handler.wait(599);
        }
        handler.expire(0, true);
        handler.expire(0, false);
        _assertReached(IQuorateMarket.State.Submitted, 7);
        _assertReached(IQuorateMarket.State.Locked, 4);
        _assertReached(IQuorateMarket.State.Fulfilled, 1);
        _assertReached(IQuorateMarket.State.Faulted, 2);
        _assertReached(IQuorateMarket.State.Cancelled, 1);
        _assertReached(IQuorateMarket.State.Expired, 2);
        this.invariant_balancesEscrowsAndCollateralSumToHoldings();
        this.invariant_noStateIsReachedTwice();
    }

    function _assertReached(IQuorateMarket.State state, uint256 times) private view {
        vm.assertEq(handler.reached(state), times, "times that the state was reached");
    }
}
