"""``config`` and ``password``: what an operator looks up and makes."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys

from rag.cli.options import Group, add_json, command_parser
from rag.errors import InputError


def add_config(group: Group) -> None:
    parser = command_parser(
        group,
        "config",
        config,
        "Show every setting and where it comes from: the environment (FOOTNOTE_PORT=8000), a file "
        "of TOML (FOOTNOTE_CONFIG names it), or the default.",
        "%(prog)s",
        "FOOTNOTE_CONFIG=footnote.toml %(prog)s --json",
        encoder=False,
    )
    add_json(parser)


def add_password(group: Group) -> None:
    parser = command_parser(
        group,
        "password",
        password,
        'Ask for a password and print its hash, for the settings: users = {ana = "HASH"} in the '
        "file, or FOOTNOTE_USERS=ana:HASH.",
        "%(prog)s",
        "%(prog)s --token > token.txt",
        encoder=False,
    )
    about = "print a new token for programs instead, for FOOTNOTE_TOKENS or the file token_file"
    parser.add_argument("--token", action="store_true", help=about)


def config(args: argparse.Namespace) -> None:
    """Show every setting and where it comes from."""
    from rag.server.settings import settings
    from rag.text.untrusted import one_line, to_json

    rows = settings(os.environ).shown()
    if args.json:
        print(to_json({row.pop("name"): row for row in rows}))
        return
    for row in rows:
        value = "" if row["value"] is None else to_json(row["value"])
        print(f"{row['name']:25} = {one_line(value):25} # {one_line(row['source'])}")


def password(args: argparse.Namespace) -> None:
    """Print the hash of a password, or a new token."""
    from rag.server.access import hashed

    if args.token:
        print(secrets.token_urlsafe(32))
        return
    if not sys.stdin.isatty():  # as in `… < file`
        print(hashed(sys.stdin.readline().rstrip("\r\n")))
        return
    chosen = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != chosen:
        raise InputError("The two differ; nothing was made.")
    print(hashed(chosen))
