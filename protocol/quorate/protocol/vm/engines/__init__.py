"""The engines: one program runs in the clear, as a dry run that counts, or as a multi-party computation."""
