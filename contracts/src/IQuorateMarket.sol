// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Where a requestor pays a committee for one verified result
/// @notice A requestor escrows the most it will pay (`submit`), picks a committee from signed bids (`lock`), and the
/// committee is paid once t+1 of its members attest the same result (`fulfil`). A member that breaks down is named
/// by t+1 others and slashed (`reportFault`); a committee that says nothing until the deadline is slashed whole
/// (`expire`). Nobody is ever sent money by a call of somebody else: every payment is credited to a free balance,
/// which its owner withdraws.
///
///     None --submit--> Submitted --lock--> Locked --fulfil--> Fulfilled
///                          |                 |---reportFault--> Faulted
///                          |--cancel--> Cancelled
///                          |--expire--> Expired <--expire--|
///
/// Tokens: the zero address is the chain's own coin. Tokens that take a fee on transfer are credited by what arrives.
/// Tokens whose balances change without a transfer are not supported: their holders could drain one another, but
/// never the holders of another token.
interface IQuorateMarket {
    /// @notice Where a request stands; the last four are final.
    enum State {
        None,
        Submitted,
        Locked,
        Fulfilled,
        Faulted,
        Expired,
        Cancelled
    }

    /// @notice What a requestor wants; its EIP-712 digest is the request's id.
    /// @param requestor who pays, and who alone may submit, cancel and lock
    /// @param nonce sets requests apart that are equal otherwise
    /// @param token in which the committee is paid and its collateral is held; zero is the chain's own coin
    /// @param maxPrice bounds the sum of the members' prices; escrowed at submit
    /// @param collateral what each member locks
    /// @param parties members of the committee, at least 2 * threshold + 1
    /// @param threshold any so many members together learn nothing; one more attest a result or a fault
    /// @param bidDeadline the last second, in Unix time, at which the committee may be locked
    /// @param deadline the last second at which the result may be delivered or a fault reported
    /// @param program content hash of the program
    /// @param details sha256 of the details that travel off the chain
    struct Request {
        address requestor;
        uint256 nonce;
        address token;
        uint256 maxPrice;
        uint256 collateral;
        uint16 parties;
        uint16 threshold;
        uint64 bidDeadline;
        uint64 deadline;
        bytes32 program;
        bytes32 details;
    }

    /// @notice What a member asks for its part in one request.
    /// @param requestId the request it is for, and no other
    /// @param member who is paid and whose collateral is locked
    /// @param price what this member is paid
    /// @param peerKey the raw Ed25519 public key of the node
    /// @param validUntil the last second at which the bid may be locked
    struct Bid {
        bytes32 requestId;
        address member;
        uint256 price;
        bytes32 peerKey;
        uint64 validUntil;
    }

    /// @notice What the market keeps of a request.
    /// @param requestor who pays
    /// @param deadline the last second at which the result may be delivered or a fault reported
    /// @param parties members of the committee
    /// @param threshold one more than this many members attest
    /// @param state where the request stands
    /// @param token in which it is paid
    /// @param escrow the maximal price, held until a final state
    /// @param committee the account whose code lists members and prices; zero before the lock
    /// @param collateral what each member locked; zero before the lock
    struct Record {
        address requestor;
        uint40 deadline;
        uint8 parties;
        uint8 threshold;
        State state;
        address token;
        uint96 escrow;
        address committee;
        uint96 collateral;
    }

    /// @notice `amount` of `token` arrived and belongs to `account`.
    event Deposited(address indexed token, address indexed account, uint256 amount);
    /// @notice `amount` of `token` left for `account`.
    event Withdrawn(address indexed token, address indexed account, uint256 amount);
    /// @notice The request exists and its maximal price is in escrow.
    event Submitted(bytes32 indexed requestId, address indexed requestor, bytes32 indexed program, Request request);
    /// @notice The requestor took the request back and has its escrow again.
    event Cancelled(bytes32 indexed requestId);
    /// @notice The committee is bound; party i is `members[i - 1]`.
    event Locked(bytes32 indexed requestId, address[] members, uint256[] prices, bytes32[] peerKeys);
    /// @notice The result is attested; bit i - 1 of `signers` says that party i signed, and `paid` is the total.
    event Fulfilled(bytes32 indexed requestId, bytes32 resultDigest, uint256 paid, uint256 signers);
    /// @notice t+1 members named `accused`, or nobody (zero) when a client failed; `slashed` is the collateral lost.
    event Faulted(bytes32 indexed requestId, address indexed accused, uint256 slashed, uint256 reporters);
    /// @notice The deadline passed in silence; `slashed` is the collateral lost by the whole committee.
    event Expired(bytes32 indexed requestId, uint256 slashed);

    /// @notice The request is not in the state that the call needs.
    error WrongState(bytes32 requestId, State actual, State needed);
    /// @notice Only the requestor may do this.
    error NotRequestor(address requestor, address caller);
    /// @notice A committee has threshold >= 1 and 2 * threshold + 1 to MAX_PARTIES parties.
    error InvalidCommittee(uint256 parties, uint256 threshold);
    /// @notice Now < bidDeadline < deadline <= now + MAX_DURATION must hold.
    error InvalidDeadlines(uint256 bidDeadline, uint256 deadline, uint256 timestamp);
    /// @notice A price or collateral is outside its bounds.
    error AmountOutOfRange(uint256 amount, uint256 least, uint256 most);
    /// @notice The coin sent with the call is not what the call can use.
    error WrongValue(uint256 sent, uint256 needed);
    /// @notice The free balance of `account` does not cover what is needed.
    error InsufficientBalance(address token, address account, uint256 available, uint256 needed);
    /// @notice The chain's own coin could not be sent to `account`.
    error TransferFailed(address account, uint256 amount);
    /// @notice The time for this call is over.
    error DeadlinePassed(uint256 deadline, uint256 timestamp);
    /// @notice It is too early for this call.
    error DeadlineNotReached(uint256 deadline, uint256 timestamp);
    /// @notice There must be exactly one bid and one signature for each party.
    error WrongBidCount(uint256 bids, uint256 signatures, uint256 parties);
    /// @notice The bid of `member` is for another request.
    error WrongRequest(address member, bytes32 bidRequestId, bytes32 requestId);
    /// @notice The bid of `member` is over.
    error BidExpired(address member, uint256 validUntil, uint256 timestamp);
    /// @notice The bid of `member` is signed by somebody else, or for another chain or market.
    error BidNotSigned(address member, address recovered);
    /// @notice `member` is in the committee twice.
    error DuplicateMember(address member);
    /// @notice The prices sum to more than the requestor pays.
    error PriceTooHigh(uint256 total, uint256 maxPrice);
    /// @notice t+1 signatures are needed.
    error TooFewSignatures(uint256 count, uint256 needed);
    /// @notice A signature is by somebody outside of the committee, or for something else.
    error NotMember(address account);
    /// @notice `signer` signed twice.
    error DuplicateSigner(address signer);
    /// @notice The accused cannot speak about itself.
    error AccusedSigned(address accused);
    /// @notice The market needs a treasury.
    error ZeroTreasury();

    /// @notice Credits the caller with `amount` of `token`, or with as much of it as arrives.
    /// @dev The coin: `amount` is what is sent with the call. An ERC-20: the market must be approved for it.
    function deposit(address token, uint256 amount) external payable;

    /// @notice Sends `amount` of the caller's free balance to the caller.
    function withdraw(address token, uint256 amount) external;

    /// @notice Escrows `maxPrice` and opens the request for bids; only by its requestor.
    /// @dev The coin: what is sent with the call goes first, and the free balance pays what is missing. An ERC-20:
    /// the free balance goes first, and what is missing is pulled from the requestor, who must have approved it.
    /// @return id the request's id
    function submit(Request calldata request) external payable returns (bytes32 id);

    /// @notice Takes a request back before it is locked; only by its requestor.
    function cancel(bytes32 requestId) external;

    /// @notice Binds the committee, party 1 first, and takes the collateral from each member's free balance.
    function lock(Request calldata request, Bid[] calldata bids, bytes[] calldata signatures) external;

    /// @notice Pays every member its price against t+1 or more members' attestations of `resultDigest`, gives the
    /// collateral back, and the rest of the escrow to the requestor. Anyone may call; the caller gains nothing.
    function fulfil(bytes32 requestId, bytes32 resultDigest, bytes[] calldata signatures) external;

    /// @notice Ends the request on the word of t+1 or more members, of which `accused` is none. The requestor has its
    /// escrow back. A member that is accused loses its collateral, half to the requestor and the rest to the
    /// treasury; zero accuses nobody and says that a client failed. All other collateral returns.
    function reportFault(bytes32 requestId, address accused, bytes[] calldata signatures) external;

    /// @notice Ends a request after its deadline; anyone may call. The requestor has its escrow back. If the request
    /// was locked, the whole committee loses its collateral, half to the requestor and the rest to the treasury: a
    /// committee that cannot deliver protects itself by `reportFault` in time.
    function expire(bytes32 requestId) external;

    /// @notice The free balance of `account`.
    function balanceOf(address token, address account) external view returns (uint256);

    /// @notice Where the request stands.
    function requestState(bytes32 requestId) external view returns (State);

    /// @notice What the market keeps of the request; all zero when it was never submitted.
    function record(bytes32 requestId) external view returns (Record memory);

    /// @notice The members, party 1 first, and their prices; empty before the lock.
    function committee(bytes32 requestId) external view returns (address[] memory members, uint256[] memory prices);

    /// @notice The id that the request has on this chain and market.
    function requestIdOf(Request calldata request) external view returns (bytes32);

    /// @notice The EIP-712 digest that the member of a bid signs.
    function bidDigest(Bid calldata bid) external view returns (bytes32);

    /// @notice The EIP-712 digest that members sign to attest a result.
    function attestationDigest(bytes32 requestId, bytes32 resultDigest) external view returns (bytes32);

    /// @notice The EIP-712 digest that members sign to report a fault.
    function faultDigest(bytes32 requestId, address accused) external view returns (bytes32);

    /// @notice Who gets the half of the slashed collateral that the requestor does not.
    function treasury() external view returns (address);

    /// @notice The largest committee.
    function MAX_PARTIES() external view returns (uint256);

    /// @notice The longest time from submit to deadline, in seconds.
    function MAX_DURATION() external view returns (uint256);
}
