"""`waypost completion`: completion of the command in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from waypost.cli.output import Output


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Prints a script that completes commands and options in SHELL.

    \b
    waypost completion bash > ~/.local/share/bash-completion/completions/waypost
    waypost completion zsh > ~/.zfunc/_waypost
    waypost completion fish > ~/.config/fish/completions/waypost.fish
    """
    from waypost.cli.commands import cli

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    Output().raw(made(cli, {}, "waypost", "_WAYPOST_COMPLETE").source())
