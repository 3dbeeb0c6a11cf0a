"""``python -m mixtransforms``."""

from mixtransforms.cli.main import main

if __name__ == "__main__":
    main()
