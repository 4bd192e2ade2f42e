"""Fields, sharing, multi-party computation, the language and its virtual machine: no input or output."""
