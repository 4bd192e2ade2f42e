// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that burns one percent of every transfer
contract FeeToken is ERC20 {
    constructor() ERC20("Fee Token", "FEE") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = from == address(0) || to == address(0) ? 0 : amount / 100;
        if (fee != 0) super._update(from, address(0), fee);
        super._update(from, to, amount - fee);
    }
}

/// @title A token that takes away balances without a transfer
contract RebasingToken is ERC20 {
    constructor() ERC20("Rebasing Token", "REB") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function rebase(address account, uint256 lost) external {
        _burn(account, lost);
    }
}

/// @title A token that refuses by returning false, as some old ones do
contract FalseToken {
    mapping(address account => uint256) public balanceOf;

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @title A token that returns nothing, as some old ones do
contract SilentToken {
    mapping(address account => uint256) public balanceOf;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title A token that calls its caller back in the middle of a transfer
contract ReentrantToken is ERC20 {
    bytes public payload;
    bytes public answer;

    constructor() ERC20("Reentrant Token", "RE") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function arm(bytes calldata payload_) external {
        payload = payload_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (payload.length == 0) return;
        (, answer) = msg.sender.call(payload);
    }
}
