// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";
import {ReentrantAccount, RejectingAccount} from "./mocks/Receivers.sol";
import {FalseToken, ReentrantToken, SilentToken} from "./mocks/Tokens.sol";

contract BalancesTest is MarketTest {
    bytes private reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);

    function test_depositAndWithdrawTheCoin(uint256 amount) public {
        amount = amount % (FUNDS + 1);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Deposited(COIN, outsider, amount);
        _deposit(outsider, COIN, amount);
        _assertBalance(COIN, outsider, amount, "deposited");
        vm.expectEmit(address(market));
        emit IQuorateMarket.Withdrawn(COIN, outsider, amount);
        _accepted(outsider, abi.encodeCall(market.withdraw, (COIN, amount)));
        _assertBalance(COIN, outsider, 0, "withdrawn");
        vm.assertEq(outsider.balance, FUNDS, "back");
    }

    function test_depositAndWithdrawATokenInParts(uint256 amount, uint256 part) public {
        amount = amount % (FUNDS + 1);
        part = part % (amount + 1);
        _deposit(outsider, address(token), amount);
        _accepted(outsider, abi.encodeCall(market.withdraw, (address(token), part)));
        _assertBalance(address(token), outsider, amount - part, "rest");
        vm.assertEq(token.balanceOf(outsider), FUNDS - amount + part, "outside");
        _assertAllFree(address(token));
    }

    function test_depositNeedsExactlyTheCoinItNames() public {
        bytes memory call = abi.encodeCall(market.deposit, (COIN, 5));
        _refusedWith(outsider, 4, call, abi.encodeWithSelector(IQuorateMarket.WrongValue.selector, 4, 5));
        _refusedWith(outsider, 6, call, abi.encodeWithSelector(IQuorateMarket.WrongValue.selector, 6, 5));
        call = abi.encodeCall(market.deposit, (address(token), 5));
        _refusedWith(outsider, 5, call, abi.encodeWithSelector(IQuorateMarket.WrongValue.selector, 5, 0));
    }

    function test_withdrawIsBoundedByTheFreeBalance() public {
        _deposit(outsider, COIN, 5);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, COIN, outsider, 5, 6);
        _refused(outsider, abi.encodeCall(market.withdraw, (COIN, 6)), reason);
        reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, COIN, outsider, 5, type(uint256).max);
        _refused(outsider, abi.encodeCall(market.withdraw, (COIN, type(uint256).max)), reason);
    }

    function test_tokensAreKeptApart() public {
        _deposit(outsider, COIN, 5);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, address(token), outsider, 0, 5);
        _refused(outsider, abi.encodeCall(market.withdraw, (address(token), 5)), reason);
    }

    function test_coinThatNamesNobodyIsRefused() public {
        vm.prank(outsider);
        (bool succeeded,) = address(market).call{value: 1}("");
        vm.assertTrue(!succeeded, "the market took coin that it can credit to nobody");
    }

    function test_anAccountWithoutCodeIsNoToken() public {
        vm.prank(outsider);
        (bool succeeded,) = address(market).call(abi.encodeCall(market.deposit, (address(0xDEAD), 5)));
        vm.assertTrue(!succeeded, "an account without code was taken for a token");
    }

    function test_aTokenThatReturnsFalseIsRefused() public {
        FalseToken bad = new FalseToken();
        bytes memory reason = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(bad));
        _refused(outsider, abi.encodeCall(market.deposit, (address(bad), 5)), reason);
    }

    function test_aTokenThatReturnsNothingWorks() public {
        SilentToken old = new SilentToken();
        old.mint(outsider, 5);
        _deposit(outsider, address(old), 5);
        _accepted(outsider, abi.encodeCall(market.withdraw, (address(old), 5)));
        vm.assertEq(old.balanceOf(outsider), 5, "back");
    }

    function test_rejectedCoinStaysInTheFreeBalance() public {
        RejectingAccount account = new RejectingAccount{value: 5}(market);
        account.run(5, abi.encodeCall(market.deposit, (COIN, 5)));
        (bool succeeded, bytes memory returned) = account.run(0, abi.encodeCall(market.withdraw, (COIN, 5)));
        vm.assertTrue(!succeeded, "sent");
        vm.assertEq(
            returned, abi.encodeWithSelector(IQuorateMarket.TransferFailed.selector, address(account), 5), "reason"
        );
        _assertBalance(COIN, address(account), 5, "kept");
    }

    function test_noFunctionCanBeReenteredWhileCoinIsSent() public {
        bytes[] memory calls = _everyCall();
        for (uint256 i = 0; i < calls.length; ++i) {
            ReentrantAccount account = new ReentrantAccount{value: 10}(market);
            account.run(10, abi.encodeCall(market.deposit, (COIN, 10)));
            account.arm(calls[i]);
            (bool succeeded,) = account.run(0, abi.encodeCall(market.withdraw, (COIN, 5)));
            vm.assertTrue(succeeded && !account.inner(), "the outer call alone succeeds");
            vm.assertEq(account.answer(), reentered, "guarded");
            _assertBalance(COIN, address(account), 5, "withdrawn once");
        }
    }

    function test_noFunctionCanBeReenteredByAToken() public {
        bytes[] memory calls = _everyCall();
        ReentrantToken bad = new ReentrantToken();
        bad.mint(outsider, 100);
        vm.prank(outsider);
        bad.approve(address(market), 100);
        for (uint256 i = 0; i < calls.length; ++i) {
            bad.arm(calls[i]);
            _deposit(outsider, address(bad), 10);
            vm.assertEq(bad.answer(), reentered, "guarded");
        }
        _assertBalance(address(bad), outsider, 10 * calls.length, "credited once each");
    }

    function _everyCall() private view returns (bytes[] memory calls) {
        IQuorateMarket.Request memory request = _request(COIN);
        calls = new bytes[](8);
        calls[0] = abi.encodeCall(market.deposit, (COIN, 0));
        calls[1] = abi.encodeCall(market.withdraw, (COIN, 5));
        calls[2] = abi.encodeCall(market.submit, (request));
        calls[3] = abi.encodeCall(market.cancel, (bytes32(0)));
        calls[4] = abi.encodeCall(market.lock, (request, new IQuorateMarket.Bid[](0), new bytes[](0)));
        calls[5] = abi.encodeCall(market.fulfil, (bytes32(0), bytes32(0), new bytes[](0)));
        calls[6] = abi.encodeCall(market.reportFault, (bytes32(0), address(0), new bytes[](0)));
        calls[7] = abi.encodeCall(market.expire, (bytes32(0)));
    }
}
