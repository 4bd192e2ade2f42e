// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Balances} from "./Balances.sol";
import {IQuorateMarket} from "./IQuorateMarket.sol";
import {Messages} from "./Messages.sol";
import {Quorum} from "./Quorum.sol";
import {Seat, Seats} from "./Seats.sol";

/// @title The market: requests from submit to their final state
/// @dev Two words are stored for a request at submit and one at lock; everything else is bound by the id, which is
/// the digest of all of the request. A final state releases every escrow and collateral in the same call.
contract QuorateMarket is Balances, EIP712 {
    using Messages for Request;
    using Messages for Bid;
    using Seats for Seat[];

    /// @inheritdoc IQuorateMarket
    uint256 public constant MAX_PARTIES = 64;
    /// @inheritdoc IQuorateMarket
    uint256 public constant MAX_DURATION = 90 days;
    /// @inheritdoc IQuorateMarket
    address public immutable treasury;

    mapping(bytes32 requestId => Record) private _records;

    constructor(address treasury_) EIP712("Quorate Market", "1") {
        if (treasury_ == address(0)) revert ZeroTreasury();
        treasury = treasury_;
    }

    /// @inheritdoc IQuorateMarket
    function submit(Request calldata request) external payable nonReentrant returns (bytes32 id) {
        if (msg.sender != request.requestor) revert NotRequestor(request.requestor, msg.sender);
        _checkTerms(request);
        id = _hashTypedDataV4(request.hash());
        Record storage entry = _inState(id, State.None);
        entry.requestor = request.requestor;
        entry.deadline = uint40(request.deadline);
        entry.parties = uint8(request.parties);
        entry.threshold = uint8(request.threshold);
        entry.state = State.Submitted;
        entry.token = request.token;
        entry.escrow = uint96(request.maxPrice);
        _spend(request.token, request.maxPrice);
        emit Submitted(id, request.requestor, request.program, request);
    }

    /// @inheritdoc IQuorateMarket
    function cancel(bytes32 requestId) external nonReentrant {
        Record storage entry = _inState(requestId, State.Submitted);
        if (msg.sender != entry.requestor) revert NotRequestor(entry.requestor, msg.sender);
        entry.state = State.Cancelled;
        emit Cancelled(requestId);
        _credit(entry.token, msg.sender, entry.escrow);
    }

    /// @inheritdoc IQuorateMarket
    function lock(Request calldata request, Bid[] calldata bids, bytes[] calldata signatures) external nonReentrant {
        bytes32 id = _hashTypedDataV4(request.hash());
        Record storage entry = _inState(id, State.Submitted);
        if (msg.sender != request.requestor) revert NotRequestor(request.requestor, msg.sender);
        if (block.timestamp > request.bidDeadline) revert DeadlinePassed(request.bidDeadline, block.timestamp);
        Seat[] memory seats = _seat(id, request, bids, signatures);
        entry.state = State.Locked;
        entry.committee = seats.store();
        entry.collateral = uint96(request.collateral);
        _announce(id, bids);
        for (uint256 i = 0; i < bids.length; ++i) {
            _debit(request.token, bids[i].member, request.collateral);
        }
    }

    /// @inheritdoc IQuorateMarket
    function fulfil(bytes32 requestId, bytes32 resultDigest, bytes[] calldata signatures) external nonReentrant {
        (Record storage entry, Seat[] memory seats) = _locked(requestId);
        bytes32 digest = _hashTypedDataV4(Messages.attestation(requestId, resultDigest));
        uint256 signers = Quorum.check(seats, digest, signatures, entry.threshold + 1);
        entry.state = State.Fulfilled;
        (address token, uint256 collateral, uint256 paid) = (entry.token, entry.collateral, 0);
        for (uint256 i = 0; i < seats.length; ++i) {
            paid += seats[i].price();
            _credit(token, seats[i].member(), seats[i].price() + collateral);
        }
        emit Fulfilled(requestId, resultDigest, paid, signers);
        _credit(token, entry.requestor, entry.escrow - paid);
    }

    /// @inheritdoc IQuorateMarket
    function reportFault(bytes32 requestId, address accused, bytes[] calldata signatures) external nonReentrant {
        (Record storage entry, Seat[] memory seats) = _locked(requestId);
        uint256 seat = seats.find(accused, seats.length);
        if (accused != address(0) && seat == seats.length) revert NotMember(accused);
        bytes32 digest = _hashTypedDataV4(Messages.fault(requestId, accused));
        uint256 reporters = Quorum.check(seats, digest, signatures, entry.threshold + 1);
        if ((reporters >> seat) & 1 != 0) revert AccusedSigned(accused);
        entry.state = State.Faulted;
        (address token, uint256 collateral) = (entry.token, entry.collateral);
        for (uint256 i = 0; i < seats.length; ++i) {
            if (i != seat) _credit(token, seats[i].member(), collateral);
        }
        uint256 slashed = accused == address(0) ? 0 : collateral;
        emit Faulted(requestId, accused, slashed, reporters);
        _refund(entry, slashed);
    }

    /// @inheritdoc IQuorateMarket
    function expire(bytes32 requestId) external nonReentrant {
        Record storage entry = _records[requestId];
        State state = entry.state;
        if (state != State.Submitted && state != State.Locked) revert WrongState(requestId, state, State.Locked);
        if (block.timestamp <= entry.deadline) revert DeadlineNotReached(entry.deadline, block.timestamp);
        entry.state = State.Expired;
        uint256 slashed = state == State.Locked ? uint256(entry.collateral) * entry.parties : 0;
        emit Expired(requestId, slashed);
        _refund(entry, slashed);
    }

    /// @inheritdoc IQuorateMarket
    function requestState(bytes32 requestId) external view returns (State) {
        return _records[requestId].state;
    }

    /// @inheritdoc IQuorateMarket
    function record(bytes32 requestId) external view returns (Record memory) {
        return _records[requestId];
    }

    /// @inheritdoc IQuorateMarket
    function committee(bytes32 requestId) external view returns (address[] memory members, uint256[] memory prices) {
        Seat[] memory seats = Seats.load(_records[requestId].committee);
        members = new address[](seats.length);
        prices = new uint256[](seats.length);
        for (uint256 i = 0; i < seats.length; ++i) {
            (members[i], prices[i]) = (seats[i].member(), seats[i].price());
        }
    }

    /// @inheritdoc IQuorateMarket
    function requestIdOf(Request calldata request) external view returns (bytes32) {
        return _hashTypedDataV4(request.hash());
    }

    /// @inheritdoc IQuorateMarket
    function bidDigest(Bid calldata bid) external view returns (bytes32) {
        return _hashTypedDataV4(bid.hash());
    }

    /// @inheritdoc IQuorateMarket
    function attestationDigest(bytes32 requestId, bytes32 resultDigest) external view returns (bytes32) {
        return _hashTypedDataV4(Messages.attestation(requestId, resultDigest));
    }

    /// @inheritdoc IQuorateMarket
    function faultDigest(bytes32 requestId, address accused) external view returns (bytes32) {
        return _hashTypedDataV4(Messages.fault(requestId, accused));
    }

    /// @dev The escrow, and half of what was slashed, go to the requestor; the other half to the treasury.
    function _refund(Record storage entry, uint256 slashed) private {
        uint256 half = slashed / 2;
        _credit(entry.token, entry.requestor, entry.escrow + half);
        _credit(entry.token, treasury, slashed - half);
    }

    function _announce(bytes32 id, Bid[] calldata bids) private {
        address[] memory members = new address[](bids.length);
        uint256[] memory prices = new uint256[](bids.length);
        bytes32[] memory peerKeys = new bytes32[](bids.length);
        for (uint256 i = 0; i < bids.length; ++i) {
            (members[i], prices[i], peerKeys[i]) = (bids[i].member, bids[i].price, bids[i].peerKey);
        }
        emit Locked(id, members, prices, peerKeys);
    }

    /// @dev Checks every bid and the sum of their prices; seat i holds party i + 1.
    function _seat(bytes32 id, Request calldata request, Bid[] calldata bids, bytes[] calldata signatures)
        private
        view
        returns (Seat[] memory seats)
    {
        if (bids.length != request.parties || signatures.length != request.parties) {
            revert WrongBidCount(bids.length, signatures.length, request.parties);
        }
        seats = new Seat[](bids.length);
        uint256 total = 0;
        for (uint256 i = 0; i < bids.length; ++i) {
            Bid calldata bid = bids[i];
            _checkBid(id, bid, signatures[i]);
            if (seats.find(bid.member, i) < i) revert DuplicateMember(bid.member);
            if (bid.price > request.maxPrice) revert PriceTooHigh(bid.price, request.maxPrice);
            seats[i] = Seats.seat(bid.member, uint96(bid.price));
            total += bid.price;
        }
        if (total > request.maxPrice) revert PriceTooHigh(total, request.maxPrice);
    }

    function _checkBid(bytes32 id, Bid calldata bid, bytes calldata signature) private view {
        if (bid.requestId != id) revert WrongRequest(bid.member, bid.requestId, id);
        if (block.timestamp > bid.validUntil) revert BidExpired(bid.member, bid.validUntil, block.timestamp);
        address recovered = ECDSA.recoverCalldata(_hashTypedDataV4(bid.hash()), signature);
        if (recovered != bid.member) revert BidNotSigned(bid.member, recovered);
    }

    function _checkTerms(Request calldata request) private view {
        if (
            request.threshold == 0 || request.parties <= 2 * uint256(request.threshold)
                || request.parties > MAX_PARTIES
        ) {
            revert InvalidCommittee(request.parties, request.threshold);
        }
        if (
            request.bidDeadline <= block.timestamp || request.deadline <= request.bidDeadline
                || request.deadline > block.timestamp + MAX_DURATION
        ) {
            revert InvalidDeadlines(request.bidDeadline, request.deadline, block.timestamp);
        }
        _checkAmount(request.maxPrice, request.parties);
        _checkAmount(request.collateral, 1);
    }

    function _checkAmount(uint256 amount, uint256 least) private pure {
        if (amount < least || amount > type(uint96).max) revert AmountOutOfRange(amount, least, type(uint96).max);
    }

    function _locked(bytes32 id) private view returns (Record storage entry, Seat[] memory seats) {
        entry = _inState(id, State.Locked);
        if (block.timestamp > entry.deadline) revert DeadlinePassed(entry.deadline, block.timestamp);
        seats = Seats.load(entry.committee);
    }

    function _inState(bytes32 id, State needed) private view returns (Record storage entry) {
        entry = _records[id];
        if (entry.state != needed) revert WrongState(id, entry.state, needed);
    }
}
