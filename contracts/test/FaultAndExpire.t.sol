// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";

contract FaultAndExpireTest is MarketTest {
    uint256 private constant HALF = COLLATERAL / 2;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = _locked(COIN);
    }

    function test_faultSlashesTheAccusedAlone() public {
        bytes[] memory signatures = _accuse(id, _member(4), 1, 3);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Faulted(id, _member(4), COLLATERAL, 14); // bits 1, 2 and 3
        market.reportFault(id, _member(4), signatures);
        _assertState(id, IQuorateMarket.State.Faulted);
        for (uint256 i = 0; i < PARTIES - 1; ++i) {
            _assertBalance(COIN, _member(i), FUNDS / 2, "collateral returns");
        }
        _assertBalance(COIN, _member(4), FUNDS / 2 - COLLATERAL, "slashed");
        _assertBalance(COIN, requestor, MAX_PRICE + HALF, "escrow and half");
        _assertBalance(COIN, treasury, COLLATERAL - HALF, "the rest");
        _assertAllFree(COIN);
    }

    function test_faultOfEveryMemberIsPossible() public {
        for (uint256 accused = 0; accused < PARTIES; ++accused) {
            IQuorateMarket.Request memory request = _request(address(token));
            request.nonce = accused + 100;
            bytes32 other = _submit(request);
            _accepted(requestor, _lockCall(request, _bids(request)));
            uint256 before = market.balanceOf(address(token), _member(accused));
            bytes32 digest = market.faultDigest(other, _member(accused));
            bytes[] memory signatures = new bytes[](PARTIES - 1);
            for (uint256 i = 0; i < PARTIES - 1; ++i) {
                signatures[i] = _sign(_key(i < accused ? i : i + 1), digest);
            }
            market.reportFault(other, _member(accused), signatures);
            _assertBalance(address(token), _member(accused), before, "slashed");
        }
    }

    function test_clientFaultSlashesNobody() public {
        bytes[] memory signatures = _accuse(id, address(0), 0, 3);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Faulted(id, address(0), 0, 7);
        market.reportFault(id, address(0), signatures);
        for (uint256 i = 0; i < PARTIES; ++i) {
            _assertBalance(COIN, _member(i), FUNDS / 2, "collateral returns");
        }
        _assertBalance(COIN, requestor, MAX_PRICE, "escrow");
        _assertBalance(COIN, treasury, 0, "treasury");
        _assertAllFree(COIN);
    }

    function test_theAccusedCannotSign() public {
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.AccusedSigned.selector, _member(1));
        _refuseFault(_member(1), _accuse(id, _member(1), 0, 3), reason);
        _refuseFault(_member(1), _accuse(id, _member(1), 0, 5), reason);
    }

    function test_theAccusedMustBeAMember() public {
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotMember.selector, outsider);
        _refuseFault(outsider, _accuse(id, outsider, 0, 3), reason);
        reason = abi.encodeWithSelector(IQuorateMarket.NotMember.selector, requestor);
        _refuseFault(requestor, _accuse(id, requestor, 0, 3), reason);
    }

    function test_faultNeedsOneMoreThanTheThreshold() public {
        for (uint256 count = 0; count <= THRESHOLD; ++count) {
            bytes memory reason =
                abi.encodeWithSelector(IQuorateMarket.TooFewSignatures.selector, count, THRESHOLD + 1);
            _refuseFault(_member(4), _accuse(id, _member(4), 0, count), reason);
        }
    }

    function test_faultRefusesDuplicateAndOutsideSigners() public {
        bytes[] memory signatures = _accuse(id, _member(4), 0, 3);
        signatures[1] = signatures[0];
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.DuplicateSigner.selector, _member(0));
        _refuseFault(_member(4), signatures, reason);
        signatures[1] = _sign(OUTSIDER_KEY, market.faultDigest(id, _member(4)));
        _refuseFault(_member(4), signatures, abi.encodeWithSelector(IQuorateMarket.NotMember.selector, outsider));
    }

    function test_faultIsRefusedAfterTheDeadline() public {
        uint256 deadline = market.record(id).deadline;
        bytes[] memory signatures = _accuse(id, _member(4), 0, 3);
        vm.warp(deadline + 1);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.DeadlinePassed.selector, deadline, deadline + 1);
        _refuseFault(_member(4), signatures, reason);
        vm.warp(deadline);
        market.reportFault(id, _member(4), signatures);
    }

    function test_nothingFollowsAFault() public {
        market.reportFault(id, address(0), _accuse(id, address(0), 0, 3));
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Faulted, IQuorateMarket.State.Locked);
        _refuseFault(_member(4), _accuse(id, _member(4), 0, 3), reason);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, 3))), reason);
        vm.warp(START + 1001);
        _refused(outsider, abi.encodeCall(market.expire, (id)), reason);
        _assertAllFree(COIN);
    }

    function test_faultIsRefusedAfterFulfil() public {
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Fulfilled, IQuorateMarket.State.Locked);
        _refuseFault(_member(4), _accuse(id, _member(4), 0, 3), reason);
    }

    function test_attestationsAreNoFaultsAndFaultsNoAttestations() public {
        bytes[] memory faults = _accuse(id, address(0), 0, 3);
        (bool succeeded,) = address(market).call(abi.encodeCall(market.fulfil, (id, bytes32(0), faults)));
        vm.assertTrue(!succeeded, "a fault was taken for an attestation");
        bytes[] memory attestations = _signAll(market.attestationDigest(id, bytes32(0)), 0, 3);
        (succeeded,) = address(market).call(abi.encodeCall(market.reportFault, (id, address(0), attestations)));
        vm.assertTrue(!succeeded, "an attestation was taken for a fault");
    }

    function test_expireSlashesASilentCommittee() public {
        vm.warp(START + 1001);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Expired(id, PARTIES * COLLATERAL);
        _accepted(outsider, abi.encodeCall(market.expire, (id)));
        _assertState(id, IQuorateMarket.State.Expired);
        for (uint256 i = 0; i < PARTIES; ++i) {
            _assertBalance(COIN, _member(i), FUNDS / 2 - COLLATERAL, "slashed");
        }
        _assertBalance(COIN, requestor, MAX_PRICE + PARTIES * COLLATERAL / 2, "escrow and half");
        _assertBalance(COIN, treasury, PARTIES * COLLATERAL - PARTIES * COLLATERAL / 2, "the rest");
        _assertAllFree(COIN);
    }

    function test_expireOnlyRefundsWhatWasNeverLocked() public {
        (, bytes32 other) = _submitted(address(token));
        vm.warp(START + 1001);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Expired(other, 0);
        market.expire(other);
        _assertBalance(address(token), requestor, MAX_PRICE, "refund");
        _assertAllFree(address(token));
    }

    function test_expireIsRefusedUntilTheDeadlineIsOver() public {
        vm.warp(START + 1000);
        bytes memory reason =
            abi.encodeWithSelector(IQuorateMarket.DeadlineNotReached.selector, START + 1000, START + 1000);
        _refused(requestor, abi.encodeCall(market.expire, (id)), reason);
    }

    function test_expireIsRefusedInFinalStates() public {
        bytes32 never = keccak256("never submitted");
        bytes memory reason = _wrongState(never, IQuorateMarket.State.None, IQuorateMarket.State.Locked);
        _refused(outsider, abi.encodeCall(market.expire, (never)), reason);
        vm.warp(START + 1001);
        market.expire(id);
        reason = _wrongState(id, IQuorateMarket.State.Expired, IQuorateMarket.State.Locked);
        _refused(outsider, abi.encodeCall(market.expire, (id)), reason);
        _assertAllFree(COIN);
    }

    function test_slashingLosesNoUnit(uint96 collateral, uint96 price) public {
        IQuorateMarket.Request memory request = _request(address(token));
        (request.collateral, request.maxPrice) = (uint256(collateral) + 1, uint256(price) + 5);
        vm.assume(request.collateral <= type(uint96).max && request.maxPrice <= type(uint96).max);
        token.mint(requestor, request.maxPrice);
        for (uint256 i = 0; i < PARTIES; ++i) {
            token.mint(_member(i), request.collateral);
            _deposit(_member(i), address(token), request.collateral);
        }
        IQuorateMarket.Bid[] memory bids;
        bytes32 other = _submit(request);
        bids = _bids(request);
        for (uint256 i = 0; i < PARTIES; ++i) {
            bids[i].price = request.maxPrice / PARTIES;
        }
        _accepted(requestor, _lockCall(request, bids));
        market.reportFault(other, _member(0), _accuse(other, _member(0), 1, 3));
        _assertAllFree(address(token));
    }

    function _refuseFault(address accused, bytes[] memory signatures, bytes memory reason) private {
        _refused(outsider, abi.encodeCall(market.reportFault, (id, accused, signatures)), reason);
    }
}
