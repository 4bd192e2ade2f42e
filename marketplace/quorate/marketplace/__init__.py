"""The market as pure code: requests, bids, matching, and the life of an order."""
