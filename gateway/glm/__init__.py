"""Zhipu's wire: Structs in Zhipu's own terms, each with its source. No functions with logic."""
