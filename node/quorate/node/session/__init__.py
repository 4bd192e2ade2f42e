"""Sessions: a member's part in the computation of one locked request (docs/session.md)."""
