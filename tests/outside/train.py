"""What a team's training script does with the client of MLflow it has: nothing here knows that it speaks to a registry with a gate.

train.py URL TOKEN train SEED     trains, logs what it read and the model, registers it; prints the version
train.py URL TOKEN promote V      lets the alias `champion` stand for version V; prints what came of it
train.py URL TOKEN load           loads the model by its alias and asks it something
train.py URL TOKEN fetch          fetches its folder by its alias; prints where it is
"""

import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
url, token, action, *rest = sys.argv[1:]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
import mlflow  # noqa: E402

MODERN = int(mlflow.__version__.split(".")[0]) >= 3
if MODERN:
    # The token as a password: of whom, nobody asks.
    os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"] = "anybody", token
else:
    os.environ["MLFLOW_TRACKING_TOKEN"] = token
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()


def train(seed):
    import pandas
    from sklearn.linear_model import LogisticRegression

    people = pandas.DataFrame({"age": [20, 30, 40, 50], "income": [1.0, 2.0, 3.0 + seed, 4.0], "y": [0, 0, 1, 1]})
    mlflow.set_experiment("credit")
    tags = {"licit.purpose": "purpose:scoring", "licit.controller": "party:acme"}
    with mlflow.start_run(run_name=f"train-{seed}", tags=tags) as run:
        mlflow.log_params({"C": 1.0, "solver": "lbfgs"})
        data = mlflow.data.from_pandas(people, source="s3://acme-raw/customers.parquet", name="customers", targets="y")
        mlflow.log_input(data, context="training", tags={"licit.subjects": "Adult"})
        model = LogisticRegression().fit(people[["age", "income"]], people["y"])
        for step in range(3):
            mlflow.log_metric("auc", 0.9 + step / 100, step=step)
        example = people[["age", "income"]].head(2)
        named = {"name": "model"} if MODERN else {"artifact_path": "model"}
        mlflow.sklearn.log_model(
            model, **named, input_example=example, registered_model_name="score", pip_requirements=["scikit-learn"]
        )
    assert [m.value for m in client.get_metric_history(run.info.run_id, "auc")] == [0.9, 0.91, 0.92]
    back = client.get_run(run.info.run_id)
    assert back.info.status == "FINISHED" and back.data.params["C"] == "1.0", back
    assert back.inputs.dataset_inputs[0].dataset.name == "customers", back
    found = mlflow.search_runs(experiment_names=["credit"], filter_string="params.solver = 'lbfgs' and metrics.auc > 0.5")
    assert run.info.run_id in list(found["run_id"]), found
    versions = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert len(versions) == 1 and versions[0].name == "score", versions
    return {"version": versions[0].version, "run": run.info.run_id, "digest": data.digest}


def promote(version):
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias("score", "champion", version)
    except MlflowException as error:
        return {"refused": error.error_code, "message": error.message}
    return {"refused": None, "stands": client.get_model_version_by_alias("score", "champion").version}


def load():
    import pandas

    model = mlflow.pyfunc.load_model("models:/score@champion")
    answer = model.predict(pandas.DataFrame({"age": [22, 48], "income": [1.5, 3.5]}))
    return {"answer": [int(x) for x in answer]}


def fetch():
    return {"folder": mlflow.artifacts.download_artifacts("models:/score@champion", dst_path="fetched")}


answer = {"train": lambda: train(int(rest[0])), "promote": lambda: promote(rest[0]), "load": load, "fetch": fetch}[action]()
print("answer " + json.dumps(answer))
