"""``python -m mixtransforms``."""

from mixtransforms.cli import main

if __name__ == "__main__":
    main()
