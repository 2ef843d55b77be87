"""Reads PROV-JSON with the package `prov`, and tells how many records of each kind it understood."""

import json
import sys

from prov import model

document = model.ProvDocument.deserialize(sys.argv[1], format="json")
kinds = {
    "entity": model.ProvEntity,
    "activity": model.ProvActivity,
    "agent": model.ProvAgent,
    "used": model.ProvUsage,
    "wasGeneratedBy": model.ProvGeneration,
    "wasDerivedFrom": model.ProvDerivation,
    "alternateOf": model.ProvAlternate,
    "wasAttributedTo": model.ProvAttribution,
    "wasAssociatedWith": model.ProvAssociation,
}
told = {name: len(list(document.get_records(kind))) for name, kind in kinds.items()}
derivations = [record.args[:2] for record in document.get_records(model.ProvDerivation)]
told["derivations"] = [[end.uri for end in ends] for ends in derivations]
# It can write what it read: nothing in it was only passed over.
assert document == model.ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
print(json.dumps(told))
