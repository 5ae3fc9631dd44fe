"""Callers from a company directory: LDAP version 3, such as OpenLDAP and Active Directory."""
