"""The external Customer, Product and Shipment APIs, over HTTP."""
