"""What the forges answer, as rows for forge_conformance.py: the statuses and texts of docs/upstream/forges.md.

A row: "is" what it shows; "ask" METHOD PATH; "as" SCHEME VALUE; "body" an object or a text; "headers" further ones; "with"
what is changed at the stand-in before; then "status", "sends" headers, "says" a text or an object, "claims" the access
list of the JWT in "token", "left" what a probe could have left afterwards; "keep": the next row finds the state as this one leaves it.
"""
ANY = object()


def exact(**members):
    return {"": "exact", **members}
