"""Proof systems: R1CS and Groth16 over BN254, in the formats of circom and snarkjs.

Nothing here does I/O: readers take bytes, randomness is an argument. Importing this package loads neither numba nor
its kernels.
"""
