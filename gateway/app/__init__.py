"""The composition root: the only place that constructs. No request logic."""

from gateway.app.gateway import Gateway, create_app, create_gateway
from gateway.app.terms import BUILT_IN_CATALOG, doubts, load_catalog

__all__ = ["BUILT_IN_CATALOG", "Gateway", "create_app", "create_gateway", "doubts", "load_catalog"]
