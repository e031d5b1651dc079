"""``python -m integrationd`` and the installed command."""

from integrationd.cli.main import main

if __name__ == "__main__":
    main()
