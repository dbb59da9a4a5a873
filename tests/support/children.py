"""A few children nobody would mistake for each other, as agencies write them down: what a test needs to make notices owed."""

import json

CHILDREN = [("Amelia Rose", "Ravenscroft", "2015-04-17"), ("Oskar", "Lindqvist", "2012-11-03"), ("Imogen", "Thistlewood", "2013-02-21"),
            ("Tobias", "Fenwicke", "2014-07-30"), ("Marisol", "Okonjo", "2011-09-12")]


def quoted(value):
    """JSON as a CSV field."""
    return '"' + json.dumps(value).replace('"', '""') + '"'


def flags(children, worker=""):
    rows = [f"C{n},{given},{family},{born},child_protection_plan,2025-01-10,,{worker}\n" for n, (given, family, born) in enumerate(children)]
    return "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate,CPPendDate,AllocatedWorker\n" + "".join(rows)


def roll(children, urn):
    rows = [f"{urn},,{family},{given},{born}\n" for given, family, born in children]
    return "URN,UPN,Surname,Forename,DOB\n" + "".join(rows)


def incidents(children, prefix="NP", abuse=False, homes=()):
    """One incident for each child, who is there with a parent; of domestic abuse, their school has to be told. `homes`: postcodes."""
    rows = []
    for n, (given, family, born) in enumerate(children):
        victim = {"given_names": "Katherine", "family_name": family, "date_of_birth": f"1988-09-{n + 10}", "role": "victim", "present": True}
        child = {"given_names": given, "family_name": family, "date_of_birth": born, "role": "child", "present": True,
                 "relationships": [{"to": 0, "relation": "child"}]}
        if n < len(homes):
            child["home"] = {"line_1": "1 High Street", "postcode": homes[n]}
        rows.append(f"{prefix}-{n},1,open,2026-11-01T21:10:00Z,2026-11-01T21:30:00Z,Domestic,{'yes' if abuse else 'no'},{n} Oak Road,Worksop,S80 1AB,"
                    f"{quoted([victim, child])},Shouting heard\n")
    return "reference,version,status,occurred,recorded,category,domestic_abuse,line_1,town,postcode,people,circumstances\n" + "".join(rows)
