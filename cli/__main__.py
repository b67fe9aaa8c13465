"""``bin/relance``: the operator's hand tool."""

from __future__ import annotations

import click

from cli.accounts import key, user
from cli.campaigns import campaign
from cli.doctor import doctor
from cli.export import export
from cli.imports import import_contacts
from cli.place import find
from cli.rest import Rest
from cli.senders import sender
from cli.simulator import simulator


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def relance(context: click.Context) -> None:
    """Run WhatsApp campaigns from the terminal.

    The service is reached at RELANCE_URL (else PUBLIC_URL, else 127.0.0.1 at PORT) with RELANCE_API_KEY (else
    BOOTSTRAP_API_KEY); where none is set, a running bin/dev of this checkout is used.

    Exit codes: 0 done, 1 refused or something is wrong, 2 wrong use, 3 the service does not answer.
    """
    rest = Rest(find())
    context.obj = rest
    context.call_on_close(rest.close)


for command in (import_contacts, campaign, sender, user, key, simulator, doctor, export):
    relance.add_command(command)

if __name__ == "__main__":
    relance(prog_name="relance")
