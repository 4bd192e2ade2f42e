"""`python -m quorate.node` is `quorate`."""

from .cli import main

if __name__ == "__main__":
    main()
