// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A member and its price in one word: 160 bits of address, then 96 bits of price.
type Seat is uint256;

using {member, price} for Seat global;

function member(Seat seat) pure returns (address) {
    return address(uint160(Seat.unwrap(seat) >> 96));
}

function price(Seat seat) pure returns (uint256) {
    return uint96(Seat.unwrap(seat));
}

/// @title Committees kept as the code of an account
/// @dev A committee is written once and read once or twice. As code it costs 32,000 gas and 200 a byte, as storage
/// 22,100 gas a member; from two members on, code is cheaper, and reading it back costs one access instead of n.
library Seats {
    /// @dev Copies everything behind itself (10 bytes) to memory and returns it: PUSH2 size, DUP1, PUSH1 10,
    /// RETURNDATASIZE (which is 0), CODECOPY, RETURNDATASIZE, RETURN.
    bytes7 private constant LOADER = hex"80600a3d393df3";

    /// @notice The account could not be created.
    error CommitteeNotStored();

    function seat(address account, uint96 amount) internal pure returns (Seat) {
        return Seat.wrap((uint256(uint160(account)) << 96) | amount);
    }

    /// @notice Writes `seats` behind a STOP, so that nobody can run them; returns the account.
    function store(Seat[] memory seats) internal returns (address account) {
        uint16 size = uint16(1 + 32 * seats.length);
        bytes memory code = abi.encodePacked(hex"61", size, LOADER, hex"00", seats);
        assembly ("memory-safe") {
            account := create(0, add(code, 32), mload(code))
        }
        if (account == address(0)) revert CommitteeNotStored();
    }

    /// @notice What `store` wrote; empty for an account without code.
    function load(address account) internal view returns (Seat[] memory seats) {
        uint256 size = account.code.length;
        if (size == 0) return seats;
        seats = new Seat[](size / 32);
        assembly ("memory-safe") {
            extcodecopy(account, add(seats, 32), 1, sub(size, 1))
        }
    }

    /// @notice The position of `account`, or `seats.length` if it has no seat among the first `count`.
    function find(Seat[] memory seats, address account, uint256 count) internal pure returns (uint256 index) {
        for (index = 0; index < count; ++index) {
            if (seats[index].member() == account) return index;
        }
        return seats.length;
    }
}
