// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";
import {BurningAccount, RejectingAccount} from "./mocks/Receivers.sol";
import {FeeToken, RebasingToken} from "./mocks/Tokens.sol";

/// @dev What went wrong in other markets, each with a test that it cannot go wrong here.
contract FindingsTest is MarketTest {
    /// Boundless 436: a request id that did not bind the request let others take a client's funds.
    function test_finding_requestIdNotBoundToTheRequest() public {
        (IQuorateMarket.Request memory request, bytes32 id) = _submitted(COIN);
        IQuorateMarket.Bid[] memory bids = _bids(request);
        IQuorateMarket.Request memory forged = _request(COIN);
        forged.collateral = 1;
        bytes32 other = market.requestIdOf(forged);
        bytes memory reason = _wrongState(other, IQuorateMarket.State.None, IQuorateMarket.State.Submitted);
        _refused(requestor, _lockCall(forged, bids), reason);
        _accepted(requestor, _lockCall(request, bids));
        vm.assertEq(market.record(id).collateral, COLLATERAL, "the terms that were submitted");
    }

    /// Boundless 2052, 2059: a copied proof was paid to whoever sent it first.
    function test_finding_copiedResultSubmittedByAnother() public {
        bytes32 id = _locked(COIN);
        bytes memory copied = abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, 3)));
        _accepted(outsider, copied);
        _assertBalance(COIN, outsider, 0, "the copier");
        _assertBalance(COIN, _member(0), FUNDS / 2 + _price(0), "the member");
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Fulfilled, IQuorateMarket.State.Locked);
        _refused(_member(0), copied, reason);
    }

    /// Boundless, ERC-1271: a contract that is asked whether it signed can burn the caller's gas; none is asked here.
    function test_finding_contractSignersAreNeverCalled() public {
        BurningAccount bomb = new BurningAccount(market);
        (IQuorateMarket.Request memory request,) = _submitted(COIN);
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bids[0].member = address(bomb);
        bytes[] memory signatures = _signBids(bids);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.BidNotSigned.selector, address(bomb), _member(0));
        _refused(requestor, abi.encodeCall(market.lock, (request, bids, signatures)), reason);
    }

    /// Boundless: a deposit credited what was asked for and not what arrived.
    function test_finding_creditsTheBalanceDelta() public {
        FeeToken fee = new FeeToken();
        fee.mint(outsider, 1000);
        vm.prank(outsider);
        fee.approve(address(market), 1000);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Deposited(address(fee), outsider, 990);
        _deposit(outsider, address(fee), 1000);
        _assertBalance(address(fee), outsider, 990, "what arrived");
        _accepted(outsider, abi.encodeCall(market.withdraw, (address(fee), 990)));
        vm.assertEq(fee.balanceOf(address(market)), 0, "nothing is owed");
    }

    /// The same at submit: a fee must not open a request whose escrow is short.
    function test_finding_feeOnTransferCannotLeaveTheEscrowShort() public {
        FeeToken fee = new FeeToken();
        fee.mint(requestor, FUNDS);
        vm.prank(requestor);
        fee.approve(address(market), FUNDS);
        uint256 arrived = MAX_PRICE - MAX_PRICE / 100;
        bytes memory reason = abi.encodeWithSelector(
            IQuorateMarket.InsufficientBalance.selector, address(fee), requestor, arrived, MAX_PRICE
        );
        _refused(requestor, abi.encodeCall(market.submit, (_request(address(fee)))), reason);
        _deposit(requestor, address(fee), 2 * MAX_PRICE);
        _submit(_request(address(fee)));
        _assertBalance(address(fee), requestor, 2 * arrived - MAX_PRICE, "a deposit before works");
    }

    /// A token that takes balances away harms its own holders and nobody else.
    function test_finding_rebasingTokenHarmsOnlyItself() public {
        RebasingToken bad = new RebasingToken();
        bad.mint(outsider, 100);
        vm.prank(outsider);
        bad.approve(address(market), 100);
        _deposit(outsider, address(bad), 100);
        bad.rebase(address(market), 60);
        vm.prank(outsider);
        (bool succeeded,) = address(market).call(abi.encodeCall(market.withdraw, (address(bad), 100)));
        vm.assertTrue(!succeeded, "the market paid what it does not hold");
        _accepted(outsider, abi.encodeCall(market.withdraw, (address(bad), 40)));
        _assertAllFree(COIN);
        _assertAllFree(address(token));
    }

    /// Boundless: one recipient that reverts took a whole batch of payments with it.
    function test_finding_revertingRecipientDoesNotBlockOthers() public {
        RejectingAccount client = new RejectingAccount{value: MAX_PRICE}(market);
        IQuorateMarket.Request memory request = _request(COIN);
        request.requestor = address(client);
        bytes32 id = market.requestIdOf(request);
        client.run(MAX_PRICE, abi.encodeCall(market.submit, (request)));
        client.run(0, _lockCall(request, _bids(request)));
        _assertState(id, IQuorateMarket.State.Locked);
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        for (uint256 i = 0; i < PARTIES; ++i) {
            _accepted(_member(i), abi.encodeCall(market.withdraw, (COIN, FUNDS / 2 + _price(i))));
        }
        vm.assertTrue(market.balanceOf(COIN, address(client)) > 0, "its rest waits for it");
    }

    /// The same with a recipient that burns all gas, at the two ends that refund.
    function test_finding_burningRecipientDoesNotBlockRefunds() public {
        BurningAccount client = new BurningAccount{value: 2 * MAX_PRICE}(market);
        IQuorateMarket.Request memory request = _request(COIN);
        request.requestor = address(client);
        client.run(MAX_PRICE, abi.encodeCall(market.submit, (request)));
        client.run(0, _lockCall(request, _bids(request)));
        bytes32 faulty = market.requestIdOf(request);
        request.nonce += 1;
        client.run(MAX_PRICE, abi.encodeCall(market.submit, (request)));
        market.reportFault{gas: 200_000}(faulty, address(0), _accuse(faulty, address(0), 0, 3));
        vm.warp(START + 1001);
        market.expire{gas: 100_000}(market.requestIdOf(request));
        _assertBalance(COIN, address(client), 2 * MAX_PRICE, "refunds");
    }

    /// Filecoin specs-actors 1144: a client emptied its balance between its offer and the lock.
    function test_finding_clientCannotDrainItsBalanceBeforeTheLock() public {
        _deposit(requestor, COIN, MAX_PRICE);
        IQuorateMarket.Request memory request = _request(COIN);
        _accepted(requestor, abi.encodeCall(market.submit, (request)));
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, COIN, requestor, 0, 1);
        _refused(requestor, abi.encodeCall(market.withdraw, (COIN, 1)), reason);
        _accepted(requestor, _lockCall(request, _bids(request)));
    }

    /// Aligned 1769: requests that pay nothing cost their sender nothing and fill everybody's queues.
    function test_finding_freeRequestsAreRefused() public {
        IQuorateMarket.Request memory request = _request(COIN);
        request.maxPrice = 0;
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.AmountOutOfRange.selector, 0, PARTIES, type(uint96).max);
        _refused(requestor, abi.encodeCall(market.submit, (request)), reason);
    }

    /// Aligned 789: a request seen in the mempool was created by somebody else first, so that its owner's failed.
    function test_finding_frontRunSubmit() public {
        IQuorateMarket.Request memory request = _request(COIN);
        bytes memory call = abi.encodeCall(market.submit, (request));
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotRequestor.selector, requestor, outsider);
        _refusedWith(outsider, MAX_PRICE, call, reason);
        IQuorateMarket.Request memory copied = _request(COIN);
        copied.requestor = outsider;
        vm.prank(outsider);
        bytes32 other = market.submit{value: MAX_PRICE}(copied);
        vm.assertNotEq(_submit(request), other, "the copy is another request");
    }

    /// Succinct, audit: withdrawals without authority.
    function test_finding_nobodyWithdrawsForAnother() public {
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, COIN, outsider, 0, FUNDS / 2);
        _refused(outsider, abi.encodeCall(market.withdraw, (COIN, FUNDS / 2)), reason);
    }

    /// Succinct, audit: expired requests and their bids were played again.
    function test_finding_expiredRequestsCannotBePlayedAgain() public {
        (IQuorateMarket.Request memory request, bytes32 id) = _submitted(COIN);
        bytes memory lock = _lockCall(request, _bids(request));
        vm.warp(request.deadline + 1);
        market.expire(id);
        bytes memory reason = abi.encodeWithSelector(
            IQuorateMarket.InvalidDeadlines.selector, request.bidDeadline, request.deadline, request.deadline + 1
        );
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
        _refused(requestor, lock, _wrongState(id, IQuorateMarket.State.Expired, IQuorateMarket.State.Submitted));
        vm.warp(START);
        reason = _wrongState(id, IQuorateMarket.State.Expired, IQuorateMarket.State.None);
        _refusedWith(requestor, MAX_PRICE, abi.encodeCall(market.submit, (request)), reason);
    }

    /// Boundless 547: a prover dropped an order whose lock had landed, and was slashed; the state can be asked.
    function test_finding_aLandedLockCanBeRead() public {
        bytes32 id = _locked(COIN);
        (address[] memory members,) = market.committee(id);
        _assertState(id, IQuorateMarket.State.Locked);
        vm.assertEq(members[2], _member(2), "each member finds itself");
    }

    /// Boundless 704, 872, 1304: work on what was fulfilled already; a refusal tells the state.
    function test_finding_aLateResultLearnsTheState() public {
        bytes32 id = _locked(COIN);
        market.reportFault(id, _member(4), _accuse(id, _member(4), 0, 3));
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Faulted, IQuorateMarket.State.Locked);
        _refused(_member(4), abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 2, 3))), reason);
    }

    /// Boundless 79, 1611: one collateral backed several locks, and a slow prover was slashed again and again.
    function test_finding_collateralBacksOneLockOnly() public {
        for (uint256 i = 0; i < PARTIES; ++i) {
            _accepted(_member(i), abi.encodeCall(market.withdraw, (COIN, FUNDS / 2 - COLLATERAL)));
        }
        _locked(COIN);
        IQuorateMarket.Request memory second = _request(COIN);
        second.nonce = 8;
        _submit(second);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.InsufficientBalance.selector, COIN, _member(0), 0, COLLATERAL);
        _refused(requestor, _lockCall(second, _bids(second)), reason);
    }

    /// Boundless 1159: a caller that gives little gas must not pay some members and not others.
    function test_finding_littleGasPaysAllOrNobody(uint256 gasLimit) public {
        bytes32 id = _locked(COIN);
        bytes memory call = abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, 3)));
        (bool succeeded,) = address(market).call{gas: 5_000 + gasLimit % 120_000}(call);
        for (uint256 i = 0; i < PARTIES; ++i) {
            uint256 expected = succeeded ? FUNDS / 2 + _price(i) : FUNDS / 2 - COLLATERAL;
            _assertBalance(COIN, _member(i), expected, "all or nobody");
        }
    }
}
