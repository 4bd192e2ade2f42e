// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Seat, Seats} from "../src/Seats.sol";
import {Vm} from "./base/Vm.sol";

contract SeatsTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function test_seatsComeBackAsTheyWereStored(uint256 count, bytes32 salt) public {
        count = count % 65;
        Seat[] memory seats = new Seat[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(salt, i)));
            seats[i] = Seats.seat(address(uint160(word >> 96)), uint96(word));
            vm.assertEq(seats[i].member(), address(uint160(word >> 96)), "member");
            vm.assertEq(seats[i].price(), uint96(word), "price");
        }
        address account = Seats.store(seats);
        vm.assertEq(account.code.length, 1 + 32 * count, "size");
        Seat[] memory loaded = Seats.load(account);
        vm.assertEq(keccak256(abi.encodePacked(loaded)), keccak256(abi.encodePacked(seats)), "seats");
    }

    function test_nobodyCanRunACommittee() public {
        Seat[] memory seats = new Seat[](1);
        seats[0] = Seats.seat(address(type(uint160).max), type(uint96).max);
        address account = Seats.store(seats);
        (bool succeeded, bytes memory returned) = account.call{value: 0}(hex"01");
        vm.assertTrue(succeeded && returned.length == 0, "the code stops at once");
    }

    function test_anAccountWithoutCodeHasNoSeats() public view {
        vm.assertEq(Seats.load(address(0xDEAD)).length, 0, "empty");
    }

    function test_findLooksAtTheFirstSeatsOnly() public pure {
        Seat[] memory seats = new Seat[](3);
        for (uint256 i = 0; i < 3; ++i) {
            seats[i] = Seats.seat(address(uint160(i + 1)), 0);
        }
        vm.assertEq(Seats.find(seats, address(3), 3), 2, "found");
        vm.assertEq(Seats.find(seats, address(3), 2), 3, "not among the first two");
        vm.assertEq(Seats.find(seats, address(4), 3), 3, "not found");
        vm.assertEq(Seats.find(seats, address(0), 3), 3, "nobody");
    }
}
