"""Python bindings of the market contract: artifacts, EIP-712 types, calldata and event codecs."""
