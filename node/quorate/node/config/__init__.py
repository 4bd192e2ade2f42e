"""The configuration of a node: quorate.toml, read into frozen dataclasses, with errors that say what to change."""

from .loader import ConfigInvalid, Problem, load_config, parse_config
from .model import (
    FILE_NAME,
    ChainConfig,
    IdentityConfig,
    LimitsConfig,
    LogConfig,
    MeshConfig,
    NodeConfig,
    PricingConfig,
    RegistryConfig,
)
from .template import render_config, write_config

__all__ = [
    "FILE_NAME",
    "ChainConfig",
    "ConfigInvalid",
    "IdentityConfig",
    "LimitsConfig",
    "LogConfig",
    "MeshConfig",
    "NodeConfig",
    "PricingConfig",
    "Problem",
    "RegistryConfig",
    "load_config",
    "parse_config",
    "render_config",
    "write_config",
]
