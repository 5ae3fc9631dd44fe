"""The people in the directory of the tests, their numbers typed as clerks type them."""

from __future__ import annotations

from collections.abc import Callable

from deploy.crm.slapd import SUFFIX
from integrations.ldap.connector import LdapConnector

PEOPLE = "ou=people," + SUFFIX


def person(uid: str, name: str, *attributes: str) -> str:
    """An entry as LDIF."""
    lines = [f"dn: uid={uid},{PEOPLE}", "objectClass: inetOrgPerson", f"uid: {uid}", f"cn: {name}", f"sn: {uid}"]
    return "\n".join([*lines, *attributes]) + "\n\n"


ENTRIES = (
    f"dn: {PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\n"
    + person(
        "anna", "Anna de Vries", "mobile: +31 30 000 0101", "mail: Anna@example.nl", "employeeNumber: K100001",
        "preferredLanguage: nl-NL", "postalCode: 3511 AB",
    )
    + person("bram", "Bram Hoekstra", "telephoneNumber: 050-0000102")
    + person("emily", "Emily (Em) Clarke*", "displayName: Emily", "telephoneNumber: 0031400000103")
    + person("youssef", "Youssef El Amrani", "telephoneNumber: +31(0)260000104")
    + person("samira", "Samira El Amrani", "mobile: 026 0000104", "mobile: 12")
    + f"dn: cn=modem,{PEOPLE}\nobjectClass: device\ncn: modem\n\n"
)  # fmt: skip

Connect = Callable[..., LdapConnector]
"""Makes a connector to a directory, from settings."""
