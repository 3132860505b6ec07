"""The gateway beside other gateways: the same upstream, the same load, the same core, in turns."""
