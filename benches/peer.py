"""The MLflow server that the bench `doors` measures beside ours, as it comes: its own store in SQLite, its own number of workers.

    peer.py FOLDER PORT MODELS

Registers MODELS models of one version each, serves, and ends when its standard input does: so nothing outlives the bench, however that ends.
"""

import os
import signal
import subprocess
import sys

folder, port, models = sys.argv[1], sys.argv[2], int(sys.argv[3])
address = f"sqlite:///{folder}/mlflow.db"


def fill():
    """As the server's own store writes them, in one transaction: over HTTP they would take minutes."""
    import sqlalchemy
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlRegisteredModel
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
    from mlflow.utils.time import get_current_time_millis

    now = get_current_time_millis()
    names = [f"model-{n:05}" for n in range(models)]
    times = {"creation_time": now, "last_updated_time": now}
    of_model = [{"name": name, **times} for name in names]
    of_version = [
        {"name": name, "version": 1, "source": source, "storage_location": source, **times}
        for name in names
        for source in [f"s3://models/{name}/1"]
    ]
    with SqlAlchemyStore(address).ManagedSessionMaker(read_only=False) as session:
        session.execute(sqlalchemy.insert(SqlRegisteredModel), of_model)
        session.execute(sqlalchemy.insert(SqlModelVersion), of_version)


fill()
serve = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port]
serve += ["--backend-store-uri", address, "--artifacts-destination", f"{folder}/artifacts"]
server = subprocess.Popen(serve, cwd=folder, stdin=subprocess.DEVNULL)
sys.stdin.read()
# Its workers are of this group, too: the bench began one for it.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.killpg(0, signal.SIGTERM)
try:
    server.wait(10)
finally:
    os.killpg(0, signal.SIGKILL)
