// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title An ERC-20 with permit that anyone may mint, for tests and development chains only
contract TestToken is ERC20, ERC20Permit {
    constructor() ERC20("Test Token", "TEST") ERC20Permit("Test Token") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}
