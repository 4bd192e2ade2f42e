// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IQuorateMarket} from "../../src/IQuorateMarket.sol";

/// @title A requestor that is a contract; subclasses say what happens when coin arrives
abstract contract ContractAccount {
    IQuorateMarket internal immutable market;

    constructor(IQuorateMarket market_) payable {
        market = market_;
    }

    function run(uint256 value, bytes calldata data) external returns (bool succeeded, bytes memory returned) {
        (succeeded, returned) = address(market).call{value: value}(data);
    }

    receive() external payable virtual;
}

/// @title An account that takes no coin
contract RejectingAccount is ContractAccount {
    constructor(IQuorateMarket market_) payable ContractAccount(market_) {}

    receive() external payable override {
        revert("no coin, thanks");
    }
}

/// @title An account that burns all gas when coin arrives
contract BurningAccount is ContractAccount {
    uint256 private _sink;

    constructor(IQuorateMarket market_) payable ContractAccount(market_) {}

    receive() external payable override {
        while (true) ++_sink;
    }
}

/// @title An account that calls the market again when coin arrives, and keeps the answer
contract ReentrantAccount is ContractAccount {
    bytes public payload;
    bytes public answer;
    bool public inner;

    constructor(IQuorateMarket market_) payable ContractAccount(market_) {}

    function arm(bytes calldata payload_) external {
        payload = payload_;
    }

    receive() external payable override {
        (inner, answer) = address(market).call(payload);
    }
}
