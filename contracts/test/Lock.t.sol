// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";

contract LockTest is MarketTest {
    IQuorateMarket.Request private request;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        (request, id) = _submitted(COIN);
    }

    function test_lockBindsTheCommitteeInItsOrder() public {
        _accepted(requestor, _lockCall(request, _bids(request)));
        _assertState(id, IQuorateMarket.State.Locked);
        (address[] memory members, uint256[] memory prices) = market.committee(id);
        vm.assertEq(members.length, PARTIES, "members");
        for (uint256 i = 0; i < PARTIES; ++i) {
            vm.assertEq(members[i], _member(i), "member");
            vm.assertEq(prices[i], _price(i), "price");
            _assertBalance(COIN, _member(i), FUNDS / 2 - COLLATERAL, "collateral is taken");
        }
        IQuorateMarket.Record memory record = market.record(id);
        vm.assertEq(record.collateral, COLLATERAL, "collateral");
        vm.assertEq(record.committee.code.length, 1 + 32 * PARTIES, "committee code");
    }

    function test_lockAnnouncesTheCommittee() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bytes[] memory signatures = _signBids(bids);
        address[] memory members = new address[](PARTIES);
        uint256[] memory prices = new uint256[](PARTIES);
        bytes32[] memory peerKeys = new bytes32[](PARTIES);
        for (uint256 i = 0; i < PARTIES; ++i) {
            (members[i], prices[i], peerKeys[i]) = (bids[i].member, bids[i].price, bids[i].peerKey);
        }
        vm.expectEmit(address(market));
        emit IQuorateMarket.Locked(id, members, prices, peerKeys);
        vm.prank(requestor);
        market.lock(request, bids, signatures);
    }

    function test_committeeIsEmptyBeforeTheLock() public view {
        (address[] memory members, uint256[] memory prices) = market.committee(id);
        vm.assertEq(members.length + prices.length, 0, "empty");
    }

    function test_lockTakesTheLargestCommittee() public {
        uint256 count = market.MAX_PARTIES();
        for (uint256 i = PARTIES; i < count; ++i) {
            _fund(_member(i));
            _deposit(_member(i), COIN, COLLATERAL);
        }
        request.parties = uint16(count);
        request.threshold = 31;
        request.maxPrice = 70 ether;
        id = _submit(request);
        _accepted(requestor, _lockCall(request, _bids(request)));
        market.fulfil(id, RESULT, _attest(id, 32, 32));
        _assertState(id, IQuorateMarket.State.Fulfilled);
        _assertBalance(COIN, _member(63), COLLATERAL + _price(63), "the last member is paid");
    }

    function test_lockIsForTheRequestorAlone() public {
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotRequestor.selector, requestor, _member(0));
        _refused(_member(0), _lockCall(request, _bids(request)), reason);
    }

    function test_lockIsRefusedAfterTheBidDeadline() public {
        bytes memory call = _lockCall(request, _bids(request));
        vm.warp(request.bidDeadline + 1);
        bytes memory reason = abi.encodeWithSelector(
            IQuorateMarket.DeadlinePassed.selector, request.bidDeadline, request.bidDeadline + 1
        );
        _refused(requestor, call, reason);
        vm.warp(request.bidDeadline);
        _accepted(requestor, call);
    }

    function test_lockIsRefusedTwice() public {
        bytes memory call = _lockCall(request, _bids(request));
        _accepted(requestor, call);
        _refused(requestor, call, _wrongState(id, IQuorateMarket.State.Locked, IQuorateMarket.State.Submitted));
    }

    function test_lockIsRefusedAfterCancel() public {
        _accepted(requestor, abi.encodeCall(market.cancel, (id)));
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Cancelled, IQuorateMarket.State.Submitted);
        _refused(requestor, _lockCall(request, _bids(request)), reason);
    }

    function test_lockNeedsOneBidAndSignatureForEachParty() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bytes[] memory signatures = _signBids(bids);
        IQuorateMarket.Bid[] memory few = new IQuorateMarket.Bid[](PARTIES - 1);
        bytes[] memory many = new bytes[](PARTIES + 1);
        _refuseLock(few, signatures, _wrongCount(PARTIES - 1, PARTIES));
        _refuseLock(bids, many, _wrongCount(PARTIES, PARTIES + 1));
        _refuseLock(new IQuorateMarket.Bid[](0), new bytes[](0), _wrongCount(0, 0));
    }

    function test_lockRefusesABidForAnotherRequest() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bids[2].requestId = keccak256("another");
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.WrongRequest.selector, _member(2), keccak256("another"), id);
        _refused(requestor, _lockCall(request, bids), reason);
    }

    function test_lockRefusesABidThatIsOver() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bids[4].validUntil = uint64(START + 5);
        bytes memory call = _lockCall(request, bids);
        vm.warp(START + 6);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.BidExpired.selector, _member(4), START + 5, START + 6);
        _refused(requestor, call, reason);
        vm.warp(START + 5);
        _accepted(requestor, call);
    }

    function test_lockRefusesTheSameMemberTwice() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bytes[] memory signatures = _signBids(bids);
        (bids[4], signatures[4]) = (bids[1], signatures[1]);
        _refuseLock(bids, signatures, abi.encodeWithSelector(IQuorateMarket.DuplicateMember.selector, _member(1)));
    }

    function test_lockRefusesPricesAboveTheMaximum() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bids[0].price = MAX_PRICE - _price(1) - _price(2) - _price(3) - _price(4);
        bytes memory exact = _lockCall(request, bids);
        bids[0].price += 1;
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.PriceTooHigh.selector, MAX_PRICE + 1, MAX_PRICE);
        _refused(requestor, _lockCall(request, bids), reason);
        _accepted(requestor, exact);
    }

    function test_lockRefusesPricesThatWouldWrap() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        uint256[3] memory huge = [type(uint256).max, uint256(1) << 96, (uint256(1) << 96) + 1];
        for (uint256 i = 0; i < huge.length; ++i) {
            bids[3].price = huge[i];
            bytes memory reason = abi.encodeWithSelector(IQuorateMarket.PriceTooHigh.selector, huge[i], MAX_PRICE);
            _refused(requestor, _lockCall(request, bids), reason);
        }
    }

    function test_lockTakesFreeBids() public {
        IQuorateMarket.Bid[] memory bids = _bids(request);
        for (uint256 i = 0; i < PARTIES; ++i) {
            bids[i].price = 0;
        }
        _accepted(requestor, _lockCall(request, bids));
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        _assertBalance(COIN, requestor, MAX_PRICE, "nothing is spent");
    }

    function test_lockNamesTheMemberWhoLacksCollateral() public {
        _accepted(_member(3), abi.encodeCall(market.withdraw, (COIN, FUNDS / 2 - COLLATERAL + 1)));
        bytes memory reason = abi.encodeWithSelector(
            IQuorateMarket.InsufficientBalance.selector, COIN, _member(3), COLLATERAL - 1, COLLATERAL
        );
        _refused(requestor, _lockCall(request, _bids(request)), reason);
        _assertBalance(COIN, _member(0), FUNDS / 2, "nobody's collateral is taken");
        _assertState(id, IQuorateMarket.State.Submitted);
    }

    function test_lockTakesCollateralInTheTokenOfTheRequest() public {
        _locked(address(token));
        _assertBalance(address(token), _member(0), FUNDS / 2 - COLLATERAL, "token");
        _assertBalance(COIN, _member(0), FUNDS / 2, "coin");
    }

    function test_everyMutatedFieldOfARequestIsAnotherRequest() public {
        for (uint256 field = 0; field < 11; ++field) {
            IQuorateMarket.Request memory mutated = _mutate(request, field);
            bytes32 other = market.requestIdOf(mutated);
            vm.assertNotEq(other, id, "id");
            bytes memory reason = _wrongState(other, IQuorateMarket.State.None, IQuorateMarket.State.Submitted);
            _refused(requestor, _lockCall(mutated, _bids(request)), reason);
        }
    }

    function test_everyMutatedFieldOfABidBreaksItsSignature() public {
        bytes[] memory signatures = _signBids(_bids(request));
        for (uint256 field = 0; field < 5; ++field) {
            IQuorateMarket.Bid[] memory bids = _bids(request);
            IQuorateMarket.Bid memory bid = bids[1];
            if (field == 0) bid.requestId = bytes32(uint256(id) ^ 1);
            if (field == 1) bid.member = outsider;
            if (field == 2) bid.price += 1;
            if (field == 3) bid.peerKey = bytes32(uint256(bid.peerKey) ^ 1);
            if (field == 4) bid.validUntil += 1;
            bytes32 digest = market.bidDigest(bid);
            bytes memory reason = field == 0
                ? abi.encodeWithSelector(IQuorateMarket.WrongRequest.selector, bid.member, bid.requestId, id)
                : abi.encodeWithSelector(
                    IQuorateMarket.BidNotSigned.selector, bid.member, ECDSA.recover(digest, signatures[1])
                );
            _refuseLock(bids, signatures, reason);
        }
    }

    function test_committeesAreStoredForLittleGasOrNotAtAll(uint256 gasLimit) public {
        bytes memory call = _lockCall(request, _bids(request));
        gasLimit = 30_000 + gasLimit % 170_000;
        vm.prank(requestor);
        (bool succeeded,) = address(market).call{gas: gasLimit}(call);
        _assertState(id, succeeded ? IQuorateMarket.State.Locked : IQuorateMarket.State.Submitted);
        (address[] memory members,) = market.committee(id);
        vm.assertEq(members.length, succeeded ? PARTIES : 0, "the committee is whole or absent");
    }

    function _refuseLock(IQuorateMarket.Bid[] memory bids, bytes[] memory signatures, bytes memory reason) private {
        _refused(requestor, abi.encodeCall(market.lock, (request, bids, signatures)), reason);
    }

    function _wrongCount(uint256 bids, uint256 signatures) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IQuorateMarket.WrongBidCount.selector, bids, signatures, PARTIES);
    }

    function _mutate(IQuorateMarket.Request memory source, uint256 field)
        private
        pure
        returns (IQuorateMarket.Request memory mutated)
    {
        mutated = abi.decode(abi.encode(source), (IQuorateMarket.Request));
        if (field == 0) mutated.requestor = address(uint160(mutated.requestor) ^ 1);
        if (field == 1) mutated.nonce ^= 1;
        if (field == 2) mutated.token = address(uint160(mutated.token) ^ 1);
        if (field == 3) mutated.maxPrice ^= 1;
        if (field == 4) mutated.collateral ^= 1;
        if (field == 5) mutated.parties ^= 1;
        if (field == 6) mutated.threshold ^= 1;
        if (field == 7) mutated.bidDeadline ^= 1;
        if (field == 8) mutated.deadline ^= 1;
        if (field == 9) mutated.program = bytes32(uint256(mutated.program) ^ 1);
        if (field == 10) mutated.details = bytes32(uint256(mutated.details) ^ 1);
    }
}
