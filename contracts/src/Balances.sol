// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IQuorateMarket} from "./IQuorateMarket.sol";

/// @title Free balances: what accounts own in the market and may withdraw or spend
/// @dev For each token, the free balances, the escrows and the locked collateral sum to what the market holds.
abstract contract Balances is IQuorateMarket, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev The token that stands for the chain's own coin.
    address internal constant COIN = address(0);

    mapping(address token => mapping(address account => uint256)) private _balances;

    /// @inheritdoc IQuorateMarket
    function deposit(address token, uint256 amount) external payable nonReentrant {
        uint256 value = token == COIN ? amount : 0;
        if (msg.value != value) revert WrongValue(msg.value, value);
        uint256 received = token == COIN ? amount : _pull(token, amount);
        _credit(token, msg.sender, received);
        emit Deposited(token, msg.sender, received);
    }

    /// @inheritdoc IQuorateMarket
    function withdraw(address token, uint256 amount) external nonReentrant {
        _debit(token, msg.sender, amount);
        emit Withdrawn(token, msg.sender, amount);
        if (token != COIN) {
            IERC20(token).safeTransfer(msg.sender, amount);
            return;
        }
        (bool sent,) = msg.sender.call{value: amount}("");
        if (!sent) revert TransferFailed(msg.sender, amount);
    }

    /// @inheritdoc IQuorateMarket
    function balanceOf(address token, address account) external view returns (uint256) {
        return _balances[token][account];
    }

    /// @dev Takes `amount` from the caller by the rule of `submit`.
    function _spend(address token, uint256 amount) internal {
        if (token == COIN) {
            if (msg.value > amount) revert WrongValue(msg.value, amount);
            _debit(token, msg.sender, amount - msg.value);
            return;
        }
        if (msg.value != 0) revert WrongValue(msg.value, 0);
        uint256 available = _balances[token][msg.sender];
        if (available < amount) {
            uint256 received = _pull(token, amount - available);
            _credit(token, msg.sender, received);
            emit Deposited(token, msg.sender, received);
        }
        _debit(token, msg.sender, amount);
    }

    function _credit(address token, address account, uint256 amount) internal {
        if (amount != 0) _balances[token][account] += amount;
    }

    function _debit(address token, address account, uint256 amount) internal {
        if (amount == 0) return;
        uint256 available = _balances[token][account];
        if (available < amount) revert InsufficientBalance(token, account, available, amount);
        unchecked {
            _balances[token][account] = available - amount;
        }
    }

    /// @dev Returns what arrived, which is less than `amount` when the token takes a fee.
    function _pull(address token, uint256 amount) private returns (uint256) {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        return IERC20(token).balanceOf(address(this)) - before;
    }
}
