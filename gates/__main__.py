"""`python -m gates` is `gates`."""

from gates.cli.main import run

if __name__ == "__main__":
    run()
