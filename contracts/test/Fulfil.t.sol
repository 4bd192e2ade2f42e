// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../src/IQuorateMarket.sol";
import {MarketTest} from "./base/MarketTest.sol";

contract FulfilTest is MarketTest {
    bytes32 private id;
    uint256 private paid;

    function setUp() public override {
        super.setUp();
        id = _locked(COIN);
        for (uint256 i = 0; i < PARTIES; ++i) {
            paid += _price(i);
        }
    }

    function test_fulfilPaysEveryMemberAndReturnsTheRest() public {
        bytes[] memory signatures = _attest(id, 2, 3);
        vm.expectEmit(address(market));
        emit IQuorateMarket.Fulfilled(id, RESULT, paid, 28); // bits 2, 3 and 4: parties 3, 4 and 5
        market.fulfil(id, RESULT, signatures);
        _assertPaid(COIN);
    }

    function test_fulfilPaysInTheTokenOfTheRequest() public {
        id = _locked(address(token));
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        _assertPaid(address(token));
    }

    function test_fulfilTakesTheWholeCommittee() public {
        market.fulfil(id, RESULT, _attest(id, 0, 5));
        _assertPaid(COIN);
    }

    function test_fulfilTakesSignaturesInAnyOrder() public {
        bytes[] memory signatures = _attest(id, 1, 3);
        (signatures[0], signatures[2]) = (signatures[2], signatures[0]);
        market.fulfil(id, RESULT, signatures);
        _assertPaid(COIN);
    }

    function test_fulfilByAnOutsiderGainsNothing() public {
        _accepted(outsider, abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, 3))));
        _assertBalance(COIN, outsider, 0, "the caller");
        _assertPaid(COIN);
    }

    function test_secondFulfilIsRefusedAndTellsTheState() public {
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        bytes memory reason = _wrongState(id, IQuorateMarket.State.Fulfilled, IQuorateMarket.State.Locked);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, 3))), reason);
        _assertPaid(COIN);
    }

    function test_fulfilIsRefusedBeforeTheLock() public {
        IQuorateMarket.Request memory request = _request(COIN);
        request.nonce = 8;
        bytes32 other = _submit(request);
        bytes memory reason = _wrongState(other, IQuorateMarket.State.Submitted, IQuorateMarket.State.Locked);
        _refused(outsider, abi.encodeCall(market.fulfil, (other, RESULT, _attest(other, 0, 3))), reason);
    }

    function test_fulfilIsTakenUntilTheDeadlineAndNotAfter() public {
        uint256 deadline = market.record(id).deadline;
        bytes memory call = abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, 3)));
        vm.warp(deadline + 1);
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.DeadlinePassed.selector, deadline, deadline + 1);
        _refused(outsider, call, reason);
        vm.warp(deadline);
        _accepted(outsider, call);
    }

    function test_fulfilNeedsOneMoreThanTheThreshold() public {
        for (uint256 count = 0; count <= THRESHOLD; ++count) {
            bytes memory reason =
                abi.encodeWithSelector(IQuorateMarket.TooFewSignatures.selector, count, THRESHOLD + 1);
            _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, _attest(id, 0, count))), reason);
        }
    }

    function test_fulfilRefusesDuplicateSigners() public {
        bytes[] memory signatures = _attest(id, 0, 3);
        signatures[2] = signatures[0];
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.DuplicateSigner.selector, _member(0));
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
    }

    function test_fulfilRefusesDuplicatesBeyondTheQuorum() public {
        bytes[] memory signatures = _attest(id, 0, 4);
        signatures[3] = signatures[1];
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.DuplicateSigner.selector, _member(1));
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
    }

    function test_fulfilRefusesOutsiders() public {
        bytes[] memory signatures = _attest(id, 0, 4);
        signatures[3] = _sign(OUTSIDER_KEY, market.attestationDigest(id, RESULT));
        bytes memory reason = abi.encodeWithSelector(IQuorateMarket.NotMember.selector, outsider);
        _refused(outsider, abi.encodeCall(market.fulfil, (id, RESULT, signatures)), reason);
    }

    function test_anyQuorumOfMembersFulfils(uint256 chosen) public {
        chosen = chosen % 32;
        bytes[] memory signatures = new bytes[](_bits(chosen));
        bytes32 digest = market.attestationDigest(id, RESULT);
        uint256 next = 0;
        for (uint256 i = 0; i < PARTIES; ++i) {
            if ((chosen >> i) & 1 != 0) signatures[next++] = _sign(_key(i), digest);
        }
        (bool succeeded,) = address(market).call(abi.encodeCall(market.fulfil, (id, RESULT, signatures)));
        vm.assertTrue(succeeded == (next > THRESHOLD), "t + 1 members suffice and t do not");
    }

    function test_membersWithdrawWhatTheyEarned() public {
        market.fulfil(id, RESULT, _attest(id, 0, 3));
        for (uint256 i = 0; i < PARTIES; ++i) {
            _accepted(_member(i), abi.encodeCall(market.withdraw, (COIN, FUNDS / 2 + _price(i))));
            vm.assertEq(_member(i).balance, FUNDS + _price(i), "earned");
        }
        _accepted(requestor, abi.encodeCall(market.withdraw, (COIN, MAX_PRICE - paid)));
        vm.assertEq(address(market).balance, 0, "nothing is left");
    }

    function _assertPaid(address currency) private view {
        _assertState(id, IQuorateMarket.State.Fulfilled);
        for (uint256 i = 0; i < PARTIES; ++i) {
            _assertBalance(currency, _member(i), FUNDS / 2 + _price(i), "price and collateral");
        }
        _assertBalance(currency, requestor, MAX_PRICE - paid, "the rest");
        _assertBalance(currency, treasury, 0, "nobody is slashed");
    }

    function _bits(uint256 word) private pure returns (uint256 count) {
        for (; word != 0; word &= word - 1) {
            ++count;
        }
    }
}
