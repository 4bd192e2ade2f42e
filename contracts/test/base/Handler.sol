// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../../src/IQuorateMarket.sol";
import {MarketTest} from "./MarketTest.sol";

/// @dev Plays the market with random choices; remembers every request, so that the sums can be checked from outside.
/// `careful` plays only what the market must accept; otherwise deadlines, signers and amounts are left to chance.
contract Handler is MarketTest {
    uint256 private constant MAX_REQUESTS = 40;
    bool private immutable careful;
    IQuorateMarket.Request[] private _requests;
    mapping(bytes32 id => uint256) private _seen;
    mapping(IQuorateMarket.State => uint256) public reached;
    bool public resurrected;

    constructor(bool careful_) {
        careful = careful_;
        MarketTest.setUp();
    }

    function setUp() public pure override {}

    function deposit(uint256 who, uint256 amount, bool coin) external {
        (address account, address currency) = (_account(who), _currency(coin));
        amount = _amount(amount, coin ? account.balance : token.balanceOf(account));
        _deposit(account, currency, amount);
    }

    function withdraw(uint256 who, uint256 amount, bool coin) external {
        (address account, address currency) = (_account(who), _currency(coin));
        amount = _amount(amount, market.balanceOf(currency, account));
        vm.prank(account);
        market.withdraw(currency, amount);
    }

    function submit(uint256 maxPrice, uint256 collateral, uint256 duration, uint256 sent, bool coin) external {
        if (_requests.length == MAX_REQUESTS) return;
        IQuorateMarket.Request memory request = _request(_currency(coin));
        uint256 free = market.balanceOf(request.token, requestor);
        uint256 outside = coin ? requestor.balance : token.balanceOf(requestor);
        if (careful && free + outside < PARTIES) return;
        request.nonce = _requests.length;
        request.maxPrice = PARTIES + _amount(maxPrice, free + outside - PARTIES);
        request.collateral = 1 + _amount(collateral, 2 ether);
        request.bidDeadline = uint64(vm.getBlockTimestamp() + 1 + duration % 1000);
        request.deadline = uint64(request.bidDeadline + 1 + duration % 3000);
        uint256 least = request.maxPrice > free ? request.maxPrice - free : 0;
        uint256 most = request.maxPrice < outside ? request.maxPrice : outside;
        vm.prank(requestor);
        bytes32 id = market.submit{value: coin ? least + sent % (most - least + 1) : 0}(request);
        _requests.push(request);
        _count(id);
    }

    function lock(uint256 which, uint256 prices) external {
        (IQuorateMarket.Request memory request, bytes32 id) = _pick(which, IQuorateMarket.State.Submitted);
        if (request.requestor == address(0)) return;
        IQuorateMarket.Bid[] memory bids = _bids(request);
        bool possible = vm.getBlockTimestamp() <= request.bidDeadline;
        for (uint256 i = 0; i < PARTIES; ++i) {
            bids[i].price = _amount(uint256(keccak256(abi.encode(prices, i))), request.maxPrice / PARTIES);
            possible = possible && market.balanceOf(request.token, _member(i)) >= request.collateral;
        }
        if (careful && !possible) return;
        _accepted(requestor, _lockCall(request, bids));
        _count(id);
    }

    function cancel(uint256 which) external {
        (IQuorateMarket.Request memory request, bytes32 id) = _pick(which, IQuorateMarket.State.Submitted);
        if (request.requestor == address(0)) return;
        _accepted(requestor, abi.encodeCall(market.cancel, (id)));
        _count(id);
    }

    function fulfil(uint256 which, uint256 first, uint256 count) external {
        (IQuorateMarket.Request memory request, bytes32 id) = _pick(which, IQuorateMarket.State.Locked);
        if (request.requestor == address(0)) return;
        if (careful && vm.getBlockTimestamp() > request.deadline) return;
        (first, count) = careful ? (first % 3, 3) : (first % 6, count % 6);
        market.fulfil(id, RESULT, _attest(id, first, count));
        _count(id);
    }

    function reportFault(uint256 which, uint256 accused, uint256 first, uint256 count) external {
        (IQuorateMarket.Request memory request, bytes32 id) = _pick(which, IQuorateMarket.State.Locked);
        if (request.requestor == address(0)) return;
        if (careful && vm.getBlockTimestamp() > request.deadline) return;
        (first, count) = careful ? (0, 3) : (first % 6, count % 6);
        uint256 seat = careful ? 3 + accused % 3 : accused % 7;
        address named = seat == 5 ? address(0) : seat == 6 ? outsider : _member(seat);
        market.reportFault(id, named, _accuse(id, named, first, count));
        _count(id);
    }

    function expire(uint256 which, bool locked) external {
        IQuorateMarket.State state = locked ? IQuorateMarket.State.Locked : IQuorateMarket.State.Submitted;
        (IQuorateMarket.Request memory request, bytes32 id) = _pick(which, state);
        if (request.requestor == address(0)) return;
        if (careful && vm.getBlockTimestamp() <= request.deadline) return;
        market.expire(id);
        _count(id);
    }

    function wait(uint256 duration) external {
        vm.warp(vm.getBlockTimestamp() + duration % 600);
    }

    /// @dev What the market owes in `currency`: free balances, escrows of open requests, collateral of locked ones.
    function owed(address currency) external view returns (uint256 total) {
        total = market.balanceOf(currency, treasury) + market.balanceOf(currency, requestor)
            + market.balanceOf(currency, outsider);
        for (uint256 i = 0; i < PARTIES; ++i) {
            total += market.balanceOf(currency, _member(i));
        }
        for (uint256 i = 0; i < _requests.length; ++i) {
            IQuorateMarket.Record memory record = market.record(market.requestIdOf(_requests[i]));
            bool isLocked = record.state == IQuorateMarket.State.Locked;
            if (record.token != currency) continue;
            if (isLocked || record.state == IQuorateMarket.State.Submitted) total += record.escrow;
            if (isLocked) total += uint256(record.collateral) * record.parties;
        }
    }

    function held(address currency) external view returns (uint256) {
        return _holdings(currency);
    }

    function tokenAddress() external view returns (address) {
        return address(token);
    }

    /// @dev A request reaches each state at most once, whatever is played.
    function _count(bytes32 id) private {
        IQuorateMarket.State state = market.requestState(id);
        uint256 bit = 1 << uint256(state);
        if (_seen[id] & bit != 0) resurrected = true;
        _seen[id] |= bit;
        ++reached[state];
    }

    /// @dev Careful play looks for a request in `state`; careless play takes any. Nobody's request when there is none.
    function _pick(uint256 which, IQuorateMarket.State state)
        private
        view
        returns (IQuorateMarket.Request memory request, bytes32 id)
    {
        uint256 count = _requests.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 index = addmod(which, i, count);
            id = market.requestIdOf(_requests[index]);
            if (!careful || market.requestState(id) == state) return (_requests[index], id);
        }
        id = 0;
    }

    function _account(uint256 who) private view returns (address) {
        who = who % (PARTIES + 2);
        return who == PARTIES ? requestor : who == PARTIES + 1 ? outsider : _member(who);
    }

    function _currency(bool coin) private view returns (address) {
        return coin ? COIN : address(token);
    }

    /// @dev Careful amounts are at most `most`; careless ones are so seven times in eight.
    function _amount(uint256 choice, uint256 most) private view returns (uint256) {
        if (!careful && choice % 8 == 0) return choice;
        return most == type(uint256).max ? choice : choice % (most + 1);
    }
}
