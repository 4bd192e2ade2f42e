// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {QuorateMarket} from "../src/QuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";

contract SubmitTest is MarketTest {
    function test_deploymentNeedsATreasury() public {
        try new QuorateMarket(address(0)) {
            vm.assertTrue(false, "deployed without a treasury");
        } catch (bytes memory reason) {
            vm.assertEq(reason, abi.encodeWithSelector(IQuorateMarket.ZeroTreasury.selector), "reason");
        }
    }

    function test_submitEscrowsTheCoinThatIsSent() public {
        (IQuorateMarket.Request memory request, bytes32 id) = _submitted(COIN);
        vm.assertEq(id, market.requestIdOf(request), "id");
        vm.assertEq(requestor.balance, FUNDS - MAX_PRICE, "paid");
        _assertBalance(COIN, requestor, 0, "free balance untouched");
        IQuorateMarket.Record memory record = market.record(id);
        vm.assertEq(record.requestor, requestor, "requestor");
        vm.assertEq(record.deadline, request.deadline, "deadline");
        vm.assertEq(record.parties, PARTIES, "parties");
        vm.assertEq(record.threshold, THRESHOLD, "threshold");
        vm.assertEq(record.token, COIN, "token");
        vm.assertEq(record.escrow, MAX_PRICE, "escrow");
        vm.assertEq(record.committee, address(0), "no committee yet");
        _assertState(id, IQuorateMarket.State.Submitted);
    }

    function test_submitEmitsTheWholeRequest() public {
        IQuorateMarket.Request memory request = _request(COIN);
        bytes32 id = market.requestIdOf(request);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Submitted(id, requestor, request.program, request);
        _submit(request);
    }

    function test_submitTellsWhatItPulled() public {
        _deposit(requestor, address(token), 4);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Deposited(address(token), requestor, MAX_PRICE - 4);
        _submit(_request(address(token)));
    }

    function test_submitSpendsTheFreeBalanceForWhatIsMissing(uint256 sent) public {
        sent = sent % (MAX_PRICE + 1);
        _deposit(requestor, COIN, MAX_PRICE);
        vm.prank(requestor);
        market.submit{value: sent}(_request(COIN));
        _assertBalance(COIN, requestor, sent, "the sent coin was spent first");
    }

    function test_submitRefusesMoreCoinThanThePrice() public {
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.WrongValue.selector, MAX_PRICE + 1, MAX_PRICE);
        _refusedWith(requestor, MAX_PRICE + 1, abi.encodeCall(market.submit, (_request(COIN))), reason);
    }

    function test_submitRefusesTooLittleCoin() public {
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, COIN, requestor, 0, 1);
        _refusedWith(requestor, MAX_PRICE - 1, abi.encodeCall(market.submit, (_request(COIN))), reason);
    }

    function test_submitRefusesCoinWithAToken() public {
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.WrongValue.selector, 1, 0);
        _refusedWith(requestor, 1, abi.encodeCall(market.submit, (_request(address(token)))), reason);
    }

    function test_submitPullsOnlyTheMissingTokens(uint256 free) public {
        free = free % (2 * MAX_PRICE);
        _deposit(requestor, address(token), free);
        _submit(_request(address(token)));
        uint256 pulled = free < MAX_PRICE ? MAX_PRICE - free : 0;
        vm.assertEq(token.balanceOf(requestor), FUNDS - free - pulled, "outside");
        _assertBalance(address(token), requestor, free + pulled - MAX_PRICE, "inside");
    }

    function test_submitNeedsTheTokenToBeApproved() public {
        vm.prank(requestor);
        token.approve(address(market), 5);
        bytes memory reason =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 5, MAX_PRICE);
        _refused(requestor, abi.encodeCall(market.submit, (_request(address(token)))), reason);
    }

    function test_submitRefusesTheSameRequestTwice() public {
        (IQuorateMarket.Request memory request, bytes32 id) = _submitted(COIN);
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Submitted, IQuorateMarket.State.None);
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
        request.nonce += 1;
        vm.assertNotEq(_submit(request), id, "another nonce is another request");
    }

    function test_submitChecksTheCommitteeSize(uint16 parties, uint16 threshold) public {
        IQuorateMarket.Request memory request = _request(COIN);
        (request.parties, request.threshold) = (parties % 70, threshold % 40);
        bool valid = request.threshold > 0 && request.parties >= 2 * request.threshold + 1 && request.parties <= 64;
        if (valid) {
            _submit(request);
            return;
        }
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InvalidCommittee.selector, request.parties, request.threshold);
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
    }

    function test_submitRefusesHugeCommitteesWithoutWrapping() public {
        IQuorateMarket.Request memory request = _request(COIN);
        (request.parties, request.threshold) = (type(uint16).max, type(uint16).max);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InvalidCommittee.selector, type(uint16).max, type(uint16).max);
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
    }

    function test_submitChecksTheDeadlines() public {
        uint64 start = uint64(START);
        uint64 last = uint64(START + market.MAX_DURATION());
        _refuseDeadlines(start - 1, start + 10);
        _refuseDeadlines(start, start + 10);
        _refuseDeadlines(start + 10, start + 10);
        _refuseDeadlines(start + 10, start + 9);
        _refuseDeadlines(start + 10, last + 1);
        _refuseDeadlines(start + 10, type(uint64).max);
        IQuorateMarket.Request memory request = _request(COIN);
        (request.bidDeadline, request.deadline) = (start + 1, last);
        _submit(request);
    }

    function test_submitChecksTheAmounts() public {
        _refuseAmounts(PARTIES - 1, COLLATERAL, PARTIES - 1, PARTIES);
        _refuseAmounts(0, COLLATERAL, 0, PARTIES);
        _refuseAmounts(uint256(type(uint96).max) + 1, COLLATERAL, uint256(type(uint96).max) + 1, PARTIES);
        _refuseAmounts(type(uint256).max, COLLATERAL, type(uint256).max, PARTIES);
        _refuseAmounts(MAX_PRICE, 0, 0, 1);
        _refuseAmounts(MAX_PRICE, uint256(type(uint96).max) + 1, uint256(type(uint96).max) + 1, 1);
    }

    function test_cancelGivesTheEscrowBack() public {
        (, bytes32 id) = _submitted(address(token));
        vm.expectEmit(address(market));
        emit IQuorateMarket.Cancelled(id);
        _accepted(requestor, abi.encodeCall(market.cancel, (id)));
        _assertState(id, IQuorateMarket.State.Cancelled);
        _assertBalance(address(token), requestor, MAX_PRICE, "refund");
        _assertAllFree(address(token));
    }

    function test_cancelIsForTheRequestorAlone() public {
        (, bytes32 id) = _submitted(COIN);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotRequestor.selector, requestor, outsider);
        _refused(outsider, abi.encodeCall(market.cancel, (id)), reason);
    }

    function test_cancelIsRefusedInEveryOtherState() public {
        bytes32 id = keccak256("never submitted");
        bytes memory call = abi.encodeCall(market.cancel, (id));
        _refused(requestor, call, _wrongState(id, IQuorateMarket.State.None, IQuorateMarket.State.Submitted));
        id = _locked(COIN);
        call = abi.encodeCall(market.cancel, (id));
        _refused(requestor, call, _wrongState(id, IQuorateMarket.State.Locked, IQuorateMarket.State.Submitted));
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        _refused(requestor, call, _wrongState(id, IQuorateMarket.State.Fulfilled, IQuorateMarket.State.Submitted));
    }

    function test_cancelTwiceRefundsOnce() public {
        (, bytes32 id) = _submitted(COIN);
        bytes memory call = abi.encodeCall(market.cancel, (id));
        _accepted(requestor, call);
        _refused(requestor, call, _wrongState(id, IQuorateMarket.State.Cancelled, IQuorateMarket.State.Submitted));
        _assertBalance(COIN, requestor, MAX_PRICE, "refund");
    }

    function _refuseDeadlines(uint64 bidDeadline, uint64 deadline) private {
        IQuorateMarket.Request memory request = _request(COIN);
        (request.bidDeadline, request.deadline) = (bidDeadline, deadline);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InvalidDeadlines.selector, bidDeadline, deadline, START);
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
    }

    function _refuseAmounts(uint256 maxPrice, uint256 collateral, uint256 amount, uint256 least) private {
        IQuorateMarket.Request memory request = _request(COIN);
        (request.maxPrice, request.collateral) = (maxPrice, collateral);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.AmountOutOfRange.selector, amount, least, type(uint96).max);
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
    }
}
