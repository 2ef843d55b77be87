"""The OpenLineage client as engines use it: what it sends stands in the registry. Arguments: address and token of a server."""

import sys

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset, parent_run, schema_dataset
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpCompression, HttpConfig, HttpTransport

ADDRESS, TOKEN = sys.argv[1:]
RUN = "01939f00-0000-7000-8000-000000000001"
PRODUCER = "https://acme.example/etl"


def client(compression):
    auth = ApiKeyTokenProvider({"apiKey": TOKEN})
    config = HttpConfig(url=ADDRESS, auth=auth, compression=compression, retry={"total": 0})
    return OpenLineageClient(transport=HttpTransport(config))


def field(name):
    return schema_dataset.SchemaDatasetFacetFields(name=name, type="varchar")


people = InputDataset(
    namespace="shop", name="customers", facets={"schema": schema_dataset.SchemaDatasetFacet(fields=[field("email")])}
)
made_of = column_lineage_dataset.InputField(
    namespace="shop",
    name="customers",
    field="email",
    transformations=[column_lineage_dataset.Transformation(type="DIRECT", subtype="TRANSFORMATION", masking=True)],
)
columns = column_lineage_dataset.ColumnLineageDatasetFacet(
    fields={"who": column_lineage_dataset.Fields(inputFields=[made_of])}
)
features = OutputDataset(namespace="s3://lake", name="features", facets={"columnLineage": columns})
parent = parent_run.ParentRunFacet(
    run=parent_run.Run(runId="01939f00-0000-7000-8000-0000000000aa"), job=parent_run.Job(namespace="acme", name="dag")
)
run, job = Run(runId=RUN, facets={"parent": parent}), Job(namespace="acme", name="nightly")


def event(kind, inputs, outputs):
    return RunEvent(
        eventType=kind, eventTime="2026-11-01T10:00:00+00:00", run=run, job=job, inputs=inputs, outputs=outputs, producer=PRODUCER
    )


# A refusal of any kind would be raised here.
client(None).emit(event(RunState.START, [people], []))
client(HttpCompression.GZIP).emit(event(RunState.COMPLETE, [], [features]))
