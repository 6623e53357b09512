"""``python -m npgfast`` is the command ``npgfast``."""

from npgfast.cli import main

if __name__ == "__main__":
    main()
