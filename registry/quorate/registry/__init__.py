"""The coprocessor registry as pure code over a store port: index, manifests, content hashes."""
